"use strict";
// The map and the communes on it: panes, polygons, gap outlines, names.
const NAMES_FROM_ZOOM = 10;
const PRINTED_PX = 718;   // the width of an A4 page between margins of 1 cm
const map = window[document.querySelector(".folium-map").id];
map.getContainer().setAttribute("role", "region");
map.getContainer().setAttribute("aria-label", words.title);

const pane = (key, z, isQuiet) => {
  const element = map.createPane(key);
  element.style.zIndex = z;
  if (isQuiet) element.style.pointerEvents = "none";
  return element;
};
pane("communes", 300);
pane("uncovered", 350, true);
pane("outline", 400, true);
pane("sites", 420, true);
const namesPane = pane("names", 430, true);
const shapeRenderer = L.canvas({ pane: "communes", padding: 0.3 });
const outlineRenderer = L.canvas({ pane: "outline", padding: 0.3 });

const decode = (polygons) => polygons.map((rings) => rings.map((steps) => {
  const points = [];
  let x = 0, y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i]; y += steps[i + 1];
    points.push([y / communes.factor, x / communes.factor]);
  }
  return points;
}));
const shapes = communes.rings.map((rings, i) => {
  const shape = L.polygon(decode(rings), { renderer: shapeRenderer, pane: "communes", color: "#ffffff", weight: 0.7, fillOpacity: 1 });
  shape.on("click", (event) => {
    L.DomEvent.stopPropagation(event);
    if (!pickSite(event.latlng)) select(i, false);
  });
  shape.bindTooltip(() => {
    const box = make("div");
    box.append(make("strong", communes.name[i]), make("br"), valueText(i));
    return box;
  }, { sticky: true });
  return shape.addTo(map);
});

// A gap that is only a missing report is in the list, not outlined.
const outline = L.layerGroup(data.gaps.filter((gap) => gap.certainty !== "unknown").map((gap) => L.polygon(shapes[gap.at].getLatLngs(), {
  renderer: outlineRenderer, pane: "outline", interactive: false, fill: false, color: data.palette.gap,
  weight: shapes.length > 500 ? 0.9 : 1.6, dashArray: gap.certainty === "probable" ? "4 4" : null,
})));

// ---- the view: the whole area until somebody moves the map
const view = L.latLngBounds([data.view[1], data.view[0]], [data.view[3], data.view[2]]);
const labels = communes.label.map(([x, y]) => [y / communes.factor, x / communes.factor]);
let isFitted = true, isFitting = false;
function fit() {
  isFitting = true;
  map.fitBounds(view, { animate: false, padding: [12, 12] });
  isFitting = false;
  isFitted = true;
  placeLegend();
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
  const size = map.getSize(), style = document.documentElement.style;
  style.setProperty("--map-width", size.x + "px");
  style.setProperty("--map-height", size.y + "px");
  style.setProperty("--map-shrink", Math.min(1, PRINTED_PX / size.x));
}
window.addEventListener("resize", keepInView);

// The legend lies in the corner where it hides the fewest communes.
function placeLegend() {
  const size = map.getSize(), legend = byId("legend");
  const width = legend.offsetWidth + 20, height = legend.offsetHeight + 20;
  const hidden = { left: 0, right: 0 };
  for (const label of labels) {
    const at = map.latLngToContainerPoint(label);
    if (at.x < width && at.y > size.y - height) hidden.left += 1;
    if (at.x > size.x - width && at.y < height) hidden.right += 1;
  }
  legend.classList.toggle("right", hidden.right < hidden.left);
}

// ---- names: those that fit into their commune and do not touch another
const pen = document.createElement("canvas").getContext("2d");
function drawNames() {
  clear(namesPane);
  if (map.getZoom() < NAMES_FROM_ZOOM) return;
  pen.font = getComputedStyle(namesPane).font;
  const size = map.getSize(), taken = [];
  shapes.forEach((shape, i) => {
    const box = shape.getBounds(), at = map.latLngToLayerPoint(labels[i]), seen = map.layerPointToContainerPoint(at);
    if (seen.x < 0 || seen.y < 8 || seen.x > size.x || seen.y > size.y - 8) return;
    const room = map.latLngToLayerPoint(box.getSouthEast()).subtract(map.latLngToLayerPoint(box.getNorthWest()));
    const half = pen.measureText(communes.name[i]).width / 2 + 3;
    if (room.x < 2 * half || room.y < 24 || seen.x < half || seen.x > size.x - half) return;
    if (taken.some((other) => Math.abs(other.at.x - at.x) < other.half + half && Math.abs(other.at.y - at.y) < 18)) return;
    taken.push({ at, half });
    const label = make("span", communes.name[i]);
    L.DomUtil.setPosition(label, at);
    namesPane.append(label);
  });
}
map.on("zoomstart", () => clear(namesPane));
map.on("moveend", drawNames);
