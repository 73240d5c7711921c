// The view: the whole area until somebody moves the map; and its address, which opens it again.
let isFitted = true, isFitting = false;
const PRINTED_PX = 718;   // the width of an A4 page between margins of 1 cm
function wholeArea() {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const own of side.shapes.boxes) widen(box, ...own);
  return boundsOf(box);
}
const WIDE_PX = 700, BUTTONS_PX = 60;   // on a phone the buttons lie along the top
function fit() {
  fitBeside(0, 0);
  // Where the legend would hide a commune, the map makes room beside it.
  const hidden = placeLegend(), isRight = byId("legend-box").classList.contains("right");
  const width = byId("legend-box").offsetWidth;
  if (hidden && map.getSize().x >= WIDE_PX) fitBeside(isRight ? 0 : width, isRight ? width : 0);
  isFitted = true;
}
function fitBeside(left, right) {
  isFitting = true;   // names go below islands
  map.fitBounds(wholeArea(), { animate: false, paddingTopLeft: [12 + left, isNarrow.matches ? BUTTONS_PX : 12], paddingBottomRight: [12 + right, 24] });
  isFitting = false;
}
map.on("movestart zoomstart", () => { if (!isFitting) isFitted = false; });
function keepInView() {
  const wasFitted = isFitted;
  map.invalidateSize({ pan: false });
  if (wasFitted) fit();
  rememberSize();
}
// A map cannot be drawn anew while the page is printed: it is printed as it is, made smaller.
function rememberSize() {
  const size = map.getSize(), root = document.documentElement.style;
  root.setProperty("--map-width", size.x + "px");
  root.setProperty("--map-height", size.y + "px");
  root.setProperty("--map-shrink", Math.min(1, PRINTED_PX / size.x));
}
window.addEventListener("resize", keepInView);

// The legend lies in the corner where it hides the fewest communes; return how many.
function placeLegend() {
  const size = map.getSize(), box = byId("legend-box"), width = box.offsetWidth + 20, height = box.offsetHeight + 20;
  const hidden = { left: 0, right: 0 };
  const scale = 2 ** (map.getZoom() - side.communes.zoom), origin = map.getPixelBounds().min;
  side.shapes.boxes.forEach((b) => {
    const [west, north, east, south] = b.map((value, k) => value * scale - (k % 2 ? origin.y : origin.x));
    if (west < width && south > size.y - height) hidden.left += 1;
    if (east > size.x - width && north < height) hidden.right += 1;
  });
  box.classList.toggle("right", hidden.right < hidden.left);
  return Math.min(hidden.left, hidden.right);
}

// ---- the address: #l=layer&c=commune&m=zoom/lat/lon&d=map&lang=vi
const isOwnPage = window.location.protocol !== "about:";   // a frame in a notebook has no address
function addressOf() {
  const fields = { l: layerControls.map((control) => control.value).join("~"), lang };
  if (state.commune !== null) fields.c = state.commune;
  if (!isFitted) fields.m = [map.getZoom(), map.getCenter().lat.toFixed(4), map.getCenter().lng.toFixed(4)].join("/");
  if (sides.length > 1) fields.d = state.isChange ? "change" : String(sides.indexOf(side));
  return "#" + Object.entries(fields).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
}
function writeAddress() {
  const link = byId("commune").querySelector("a");
  if (link) link.href = addressOf();
  if (isOwnPage) window.history.replaceState(null, "", addressOf());
}
function readAddress() {
  const fields = new Map();
  for (const pair of window.location.hash.slice(1).split("&")) {
    const [key, value = ""] = pair.split("=");
    try { fields.set(key, decodeURIComponent(value)); } catch { /* a broken address opens the map as it is */ }
  }
  return fields;
}
function openAddress() {
  const fields = readAddress();
  if (Object.hasOwn(style.words, fields.get("lang") || "")) { lang = fields.get("lang"); words = style.words[lang]; }
  showSide(fields.get("d") || "0");
  refill(fields.has("l") ? fields.get("l").split("~") : []);
  state.commune = side.positions.has(fields.get("c")) ? fields.get("c") : null;
  const [zoom, lat, lon] = (fields.get("m") || "x").split("/").map(Number);
  if ([zoom, lat, lon].every(Number.isFinite)) map.setView([lat, lon], zoom, { animate: false });
  else if (state.commune !== null) zoomToChosen();
  else if (isFitted) fitBeside(0, 0);
  writeAll();
  if (isFitted) keepInView(); else placeLegend();
  rememberSize();
  drawNames();
}
window.addEventListener("hashchange", openAddress);
