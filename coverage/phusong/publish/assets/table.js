// The same figures as a table: sorted by any column, and as a file.
const FIRST_ROWS = 200;
const tableBox = byId("table-box");
const order = { column: "uncovered", isDown: true };
let shownRows = FIRST_ROWS;

function tableColumns(layer) {
  const { communes, gapOf, gaps } = side;
  const gapText = (i) => (gapOf.has(i) ? word(gaps.certainty[gapOf.get(i)]) : "");
  // Shares that are rounded to 0.1 % give numbers of people to the hundred.
  const step = side.data.parts > 1000 ? 1 : 100;
  const uncoveredPeople = (i) => (share(layer, i) === null || communes.population[i] === null ? null : Math.round((1 - share(layer, i)) * communes.population[i] / step) * step);
  const inPercent = (value) => (value === null ? "–" : perHundred(value));
  return [
    { key: "code", title: words.code, of: (i) => communes.code[i] },
    { key: "name", title: words.name, of: (i) => communes.name[i] },
    { key: "population", title: words.population, of: (i) => communes.population[i], say: number },
    { key: "area", title: words.area + " (km²)", of: (i) => (communes.area_ha[i] === null ? null : communes.area_ha[i] / 100), say: (value) => number(value, 1) },
    { key: "share", title: words.share + " (%)", of: (i) => share(layer, i), say: inPercent },
    { key: "low", title: words.low + " (%)", of: (i) => low(layer, i), say: inPercent },
    { key: "high", title: words.high + " (%)", of: (i) => high(layer, i), say: inPercent },
    ...(other() ? [{ key: "change", title: words.change, of: (i) => change(layer, i), say: (value) => (value === null ? "–" : points(value)) }] : []),
    { key: "uncovered", title: words.uncovered_people, of: uncoveredPeople, say: number },
    { key: "gap", title: words.legend_gap, of: gapText },
  ];
}
function sortedRows(columns) {
  const { of } = columns.find((column) => column.key === order.column) || columns[0];
  const compare = new Intl.Collator("vi").compare, sign = order.isDown ? -1 : 1;
  const values = side.communes.code.map((_, i) => of(i));
  return values.map((_, i) => i).sort((a, b) => {
    if (values[a] === null || values[b] === null) return (values[a] === null) - (values[b] === null) || a - b;
    return sign * (typeof values[a] === "string" ? compare(values[a], values[b]) : values[a] - values[b]) || a - b;
  });
}
function drawTable() {
  if (!tableBox.open) return;
  const layer = current(), columns = tableColumns(layer), rows = sortedRows(columns);
  byId("table-title").textContent = `${layerTitle(layer)} · ${dayOf(side.data)}`;
  byId("table-scroll").setAttribute("aria-label", words.table);
  byId("download").textContent = words.download;
  byId("close-table").textContent = words.close;
  const head = clear(byId("table").tHead).insertRow(), body = clear(byId("table").tBodies[0]);
  for (const column of columns) {
    const cell = make("th"), isSorted = column.key === order.column;
    cell.scope = "col";
    cell.setAttribute("aria-sort", isSorted ? (order.isDown ? "descending" : "ascending") : "none");
    cell.append(makeButton(column.title + (isSorted ? (order.isDown ? " ▾" : " ▴") : ""), () => sortBy(column)));
    head.append(cell);
  }
  for (const i of rows.slice(0, shownRows)) {
    const line = body.insertRow();
    for (const { key, of, say } of columns) {
      const cell = line.insertCell(), value = of(i);
      if (key === "name") cell.append(makeButton(value, () => { tableBox.close(); select(i, true); }));
      else cell.textContent = say ? say(value) : value;
      if (say) cell.className = "number";
    }
  }
  byId("more-rows").hidden = rows.length <= shownRows;
  byId("more-rows").textContent = fillIn(words.show_all, { n: number(rows.length) });
}
function sortBy({ key }) {
  order.isDown = order.column === key ? !order.isDown : !["code", "name"].includes(key);
  order.column = key;
  drawTable();
  byId("table").tHead.querySelector("[aria-sort=ascending] button, [aria-sort=descending] button").focus();
}

// ---- files. What a spreadsheet would run as a formula gets an apostrophe before it.
const RISKY = /^[=+\-@\t\r\n＝＋－＠]/;
function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && RISKY.test(value) ? "'" + value : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
function downloadCsv(name, rows) {
  const text = "\ufeff" + rows.map((row) => row.map(csvCell).join(",") + "\r\n").join("");
  const link = make("a"), url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
const labelColumns = () => ["synthetic", "schematic"].filter((label) => side.data[label]);
function downloadTable() {
  const layer = current(), columns = tableColumns(layer), labels = labelColumns();
  const fixed = [layer.indicator, layer.service, layer.operator, side.data.as_of];
  const head = ["commune_code", "commune_name", "population", "area_km2", "share", "share_low", "share_high", ...(other() ? ["share_change"] : []), "people_uncovered", "certainty", "indicator", "service", "operator", "as_of", ...labels];
  const rows = sortedRows(columns).map((i) => [
    ...columns.map(({ key, of }) => (key === "gap" ? (side.gapOf.has(i) ? side.gaps.certainty[side.gapOf.get(i)] : "") : of(i))),
    ...fixed, ...labels.map(() => true),
  ]);
  downloadCsv(`${layer.indicator}_${layer.service}_${side.data.as_of}.csv`, [head, ...rows]);
}
function downloadCommune(i) {
  const { communes, data } = side, labels = labelColumns();
  const head = ["commune_code", "commune_name", "indicator", "service", "operator", "evidence", "share", "share_low", "share_high", "as_of", ...labels];
  const rows = data.layers.map((layer) => [
    communes.code[i], communes.name[i], layer.indicator, layer.service, layer.operator, evidenceOf(layer, i),
    share(layer, i), low(layer, i), high(layer, i), data.as_of, ...labels.map(() => true),
  ]);
  downloadCsv(`${communes.code[i]}_${data.as_of}.csv`, [head, ...rows]);
}
byId("download").addEventListener("click", downloadTable);
byId("close-table").addEventListener("click", () => tableBox.close());
byId("more-rows").addEventListener("click", () => { shownRows = Infinity; drawTable(); });
byId("open-table").addEventListener("click", () => { tableBox.showModal(); drawTable(); });
