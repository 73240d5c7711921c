// The block of data: base64, deflated, columns of whole numbers; publish/mapblock.py writes it.
const byId = (id) => document.getElementById(id);

async function unpack(text) {
  const packed = atob(text), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  const end = 4 + new DataView(whole.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, end)));
  let start = end;
  const columns = header.columns.map(([n, planes, form]) => {
    const column = readColumn(whole, start, n, planes, form);
    start += n * planes;
    return column;
  });
  return restore(header.values, columns);
}
// All lowest bytes come first, then all second ones; 0, 1, 2, 3 stand for 0, -1, 1, -2.
function readColumn(whole, start, n, planes, form) {
  const column = new Array(n), hasGaps = form === "gaps";
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let number = 0;
    for (let k = planes - 1; k >= 0; k--) number = number * 256 + whole[start + k * n + i];
    if (hasGaps && number === 0) { column[i] = null; continue; }
    if (hasGaps) number -= 1;
    const signed = number % 2 ? -(number + 1) / 2 : number / 2;
    column[i] = form === "steps" ? (sum += signed) : signed;
  }
  return column;
}
function restore(value, columns) {
  if (Array.isArray(value)) return value.map((item) => restore(item, columns));
  if (value === null || typeof value !== "object") return value;
  if (!Object.hasOwn(value, "$")) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restore(item, columns)]));
  const numbers = columns[value.$];
  return value.width === undefined ? numbers : numbers.map((number) => value.prefix + String(number).padStart(value.width, "0"));
}
