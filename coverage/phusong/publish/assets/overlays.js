// Over the communes: the area that is not covered, and the outlines of gap communes.
// Where communes are but a few pixels wide, both would hide the map: they are shown from nearer,
// and of a whole country, whose outlines run on and on, from nearer still.
const NEAR_PX = 14, NEAR_PX_OF_MANY = 24, MANY_COMMUNES = 1000;
const isNear = (z = map.getZoom()) => commonPx(Math.round(z)) >= (side.communes.code.length > MANY_COMMUNES ? NEAR_PX_OF_MANY : NEAR_PX);
const uncovered = L.layerGroup();
const picturesOf = (layer) => state.isChange || !layer || !layer.indicator.startsWith("share_") || layer.operator !== "any" ? []
  : side.data.uncovered.filter((picture) => picture.service === layer.service);
function drawUncovered(layer) {
  uncovered.clearLayers();
  const pictures = picturesOf(layer), box = byId("show-uncovered");
  box.disabled = !pictures.length;
  byId("uncovered-note").hidden = Boolean(pictures.length) || !side.data.uncovered.length;
  if (!box.checked || !isNear()) return;
  for (const picture of pictures) {
    const [south, west, north, east] = picture.bounds;
    const image = L.imageOverlay(picture.url, [[south, west], [north, east]], { pane: "uncovered", interactive: false, alt: "" });
    // What is enlarged shows its cells; a smooth edge would be one that nobody measured.
    image.on("load", () => { const element = image.getElement(); if (element) element.classList.toggle("enlarged", element.offsetWidth > element.naturalWidth); });
    uncovered.addLayer(image);
  }
}
const isVeiled = (layer) => byId("show-uncovered").checked && isNear() && picturesOf(layer).length > 0;
// The colour of a class under the veil of what is not covered.
function pale(colour) {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * style.palette.veil)).join(" ")})`;
}

// A gap is outlined inside its own border, so that of two neighbours one sees which it is. A gap
// that is only a missing report is in the list, not outlined.
const outlineLayer = new Tiles((pen, z, west, north) => {
  if (!isNear(z)) return;
  const { shapes, gaps, gapOf } = side, thinned = thin(shapes, z), width = Math.min(2.2, 0.5 + commonPx(z) / 50);
  pen.strokeStyle = style.palette.gap;
  pen.lineWidth = 2 * width;
  for (const i of touching(shapes.boxes, shapes.zoom, z, west, north, 3)) {
    const certainty = gapOf.has(i) ? gaps.certainty[gapOf.get(i)] : "unknown";
    if (certainty === "unknown") continue;
    pen.save();
    pen.beginPath();
    traceShape(pen, shapes, thinned, i, west, north);
    pen.clip();
    pen.setLineDash(certainty === "probable" ? [5, 4] : []);
    pen.stroke();
    pen.restore();
  }
}, { pane: "outline" });
