// Tiles on canvas: land, communes in the colours of their classes, borders.
const TILE = 256, OVERLAP = 1;   // a tile is a pixel wider, so that no seam shows between two
const density = Math.max(window.devicePixelRatio || 1, 1.5);   // tiles are stretched between zooms

const Tiles = L.GridLayer.extend({
  initialize(paint, options) {
    this.paint = paint;
    L.GridLayer.prototype.initialize.call(this, { updateWhenIdle: false, updateWhenZooming: false, keepBuffer: 3, ...options });
  },
  createTile(coords) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.ceil((TILE + OVERLAP) * density);
    tile.coords = coords;
    this.repaintTile(tile);
    return tile;
  },
  _initTile(tile) {   // Leaflet sets the size of a tile there
    L.GridLayer.prototype._initTile.call(this, tile);
    tile.style.width = tile.style.height = TILE + OVERLAP + "px";
  },
  repaintTile(tile) {
    const pen = tile.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, TILE + OVERLAP, TILE + OVERLAP);
    this.paint(pen, tile.coords.z, tile.coords.x * TILE, tile.coords.y * TILE);
  },
  repaint() {
    const box = this.getContainer();
    if (box) for (const tile of box.querySelectorAll("canvas")) this.repaintTile(tile);
  },
});

// Points that are nearer than this to the last one are left out; both sides of a border alike.
const THIN_PX = 0.6;
function thin({ arcs, zoom, thinned }, z) {
  if (thinned.has(z)) return thinned.get(z);
  const scale = 2 ** (z - zoom), n = arcs.start.length - 1;
  const start = new Int32Array(n + 1), x = [], y = [];
  for (let arc = 0; arc < n; arc++) {
    const from = arcs.start[arc], last = arcs.start[arc + 1] - 1;
    let lastX = NaN, lastY = NaN;
    for (let k = from; k <= last; k++) {
      const px = arcs.x[k] * scale, py = arcs.y[k] * scale;
      if (k > from && k < last && Math.abs(px - lastX) < THIN_PX && Math.abs(py - lastY) < THIN_PX) continue;
      x.push(px); y.push(py);
      lastX = px; lastY = py;
    }
    start[arc + 1] = x.length;
  }
  const found = { start, x: Float64Array.from(x), y: Float64Array.from(y) };
  thinned.set(z, found);
  return found;
}
function traceShape(pen, shapes, thinned, i, west, north) {
  const { start, x, y } = thinned;
  for (const ring of shapes.rings[i]) traceRing(pen, ring, (arc, isBack, visit) => {
    const from = start[arc], to = start[arc + 1];
    if (isBack) for (let k = to - 1; k >= from; k--) visit(x[k] - west, y[k] - north);
    else for (let k = from; k < to; k++) visit(x[k] - west, y[k] - north);
  });
}
// The positions whose boxes touch a tile; `zoom` is that of the boxes.
function touching(boxes, zoom, z, west, north, margin) {
  const scale = 2 ** (zoom - z), found = [];
  const [left, top] = [(west - margin) * scale, (north - margin) * scale];
  const reach = (TILE + OVERLAP + 2 * margin) * scale, right = left + reach, bottom = top + reach;
  for (let i = 0; i < boxes.length; i++) {
    const box = boxes[i];
    if (box[0] <= right && box[2] >= left && box[1] <= bottom && box[3] >= top) found.push(i);
  }
  return found;
}

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let theme = {};
const readTheme = () => { theme = { land: colourOf("--land"), line: colourOf("--border"), density: colourOf("--density"), densityLine: colourOf("--density-line"), hatch: makeHatch() }; };
function makeHatch() {
  const tile = document.createElement("canvas"), size = 8 * density;
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  brush.scale(density, density);
  brush.fillStyle = colourOf("--hatch-paper"); brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = colourOf("--hatch-ink"); brush.beginPath();
  for (const shift of [-8, 0, 8]) { brush.moveTo(shift, 8); brush.lineTo(shift + 8, 0); }
  brush.stroke();
  const pattern = brush.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / density));
  return pattern;
}

const landRings = land.rings.map((steps) => {
  const x = [], y = [];
  for (let i = 0; i < steps.length; i += 2) {
    x.push(steps[i] + (x.at(-1) || 0));
    y.push(steps[i + 1] + (y.at(-1) || 0));
  }
  return { x, y };
});
function paintLand(pen, z, west, north) {
  const scale = 2 ** (z - land.zoom);
  pen.beginPath();
  for (const { x, y } of landRings) {
    pen.moveTo(x[0] * scale - west, y[0] * scale - north);
    for (let k = 1; k < x.length; k++) pen.lineTo(x[k] * scale - west, y[k] * scale - north);
    pen.closePath();
  }
  pen.fillStyle = theme.land;
  pen.fill("evenodd");
}

const SMALLEST_PX = 5;   // an islet is a square of this side, so that it is seen
let classes = [], classColours = [];   // of the layer that is shown
function paintCommunes(pen, z, west, north) {
  paintLand(pen, z, west, north);
  const { shapes } = side, thinned = thin(shapes, z), scale = 2 ** (z - shapes.zoom);
  const here = touching(shapes.boxes, shapes.zoom, z, west, north, SMALLEST_PX);
  for (let at = -1; at < classColours.length; at++) {
    const own = here.filter((i) => classes[i] === at);
    if (!own.length) continue;
    pen.beginPath();
    for (const i of own) traceShape(pen, shapes, thinned, i, west, north);
    pen.fillStyle = at < 0 ? theme.hatch : classColours[at];
    pen.fill();
  }
  pen.beginPath();
  for (const arc of touching(shapes.arcs.boxes, shapes.zoom, z, west, north, 2)) {
    const to = thinned.start[arc + 1];
    pen.moveTo(thinned.x[thinned.start[arc]] - west, thinned.y[thinned.start[arc]] - north);
    for (let k = thinned.start[arc] + 1; k < to; k++) pen.lineTo(thinned.x[k] - west, thinned.y[k] - north);
  }
  pen.lineWidth = Math.min(0.9, Math.max(0.2, commonPx(z) / 24));
  pen.strokeStyle = theme.line;
  pen.stroke();
  for (const i of here) {
    const box = shapes.boxes[i];
    if (Math.max(box[2] - box[0], box[3] - box[1]) * scale >= SMALLEST_PX) continue;
    const x = ((box[0] + box[2]) / 2) * scale - west, y = ((box[1] + box[3]) / 2) * scale - north;
    pen.fillStyle = classes[i] < 0 ? theme.hatch : classColours[classes[i]];
    pen.fillRect(x - SMALLEST_PX / 2, y - SMALLEST_PX / 2, SMALLEST_PX, SMALLEST_PX);
    pen.strokeRect(x - SMALLEST_PX / 2, y - SMALLEST_PX / 2, SMALLEST_PX, SMALLEST_PX);
  }
}
// How many pixels wide a common commune is.
const commonWidths = new Map();
function commonPx(z) {
  const { shapes } = side;
  if (!commonWidths.has(shapes)) {
    const widths = shapes.boxes.map((box) => box[2] - box[0]).sort((a, b) => a - b);
    commonWidths.set(shapes, widths[widths.length >> 1]);
  }
  return commonWidths.get(shapes) * 2 ** (z - shapes.zoom);
}
const communeLayer = new Tiles(paintCommunes, { pane: "communes" });
