// The map and the communes on it. All places are whole pixels of one zoom, as tiles count them.
const map = window[document.querySelector(".folium-map").id];
byId("panel").before(map.getContainer());
byId("no-script").remove();

const pane = (key, z, isQuiet) => {
  const element = map.createPane(key);
  element.style.zIndex = z;
  if (isQuiet) element.style.pointerEvents = "none";
  return element;
};
pane("communes", 300, true);
pane("uncovered", 350, true);
pane("outline", 400, true);
pane("sites", 420, true);
pane("chosen", 425, true);
const namesPane = pane("names", 430, true);

// ---- arcs: borders that communes share
function decodeArcs({ arc_x: firstX, arc_y: firstY, arc_steps: steps, arc_sizes: sizes }) {
  const start = new Int32Array(sizes.length + 1);
  sizes.forEach((size, i) => { start[i + 1] = start[i] + size + 1; });
  const x = new Int32Array(start[sizes.length]), y = new Int32Array(start[sizes.length]);
  let step = 0;
  sizes.forEach((size, i) => {
    let at = start[i];
    x[at] = firstX[i]; y[at] = firstY[i];
    for (let k = 0; k < size; k++, at++) {
      x[at + 1] = x[at] + steps[step++];
      y[at + 1] = y[at] + steps[step++];
    }
  });
  return { start, x, y, boxes: sizes.map((_, i) => boxOf(x, y, start[i], start[i + 1])) };
}
function boxOf(x, y, from, to) {
  const box = [x[from], y[from], x[from], y[from]];
  for (let i = from + 1; i < to; i++) widen(box, x[i], y[i], x[i], y[i]);
  return box;
}
function widen(box, west, north, east, south) {
  if (west < box[0]) box[0] = west;
  if (north < box[1]) box[1] = north;
  if (east > box[2]) box[2] = east;
  if (south > box[3]) box[3] = south;
}
function decodeShapes({ rings, ring_sizes: ringSizes, polygon_sizes: polygonSizes, shape_sizes: shapeSizes }) {
  let arc = 0, ring = 0, polygon = 0;
  return shapeSizes.map((n) => {
    const found = [];
    for (let p = 0; p < n; p++) {
      for (let r = 0; r < polygonSizes[polygon]; r++) {
        found.push(rings.slice(arc, arc + ringSizes[ring]));
        arc += ringSizes[ring++];
      }
      polygon++;
    }
    return found;
  });
}
const drawn = new Map();   // two maps with the same communes share their shapes
function shapesOf(communes) {
  if (drawn.has(communes.arc_steps)) return drawn.get(communes.arc_steps);
  const arcs = decodeArcs(communes), rings = decodeShapes(communes);
  const boxes = rings.map((own) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const ring of own) for (const arc of ring) widen(box, ...arcs.boxes[arc < 0 ? -1 - arc : arc]);
    return box;
  });
  const shapes = { arcs, rings, boxes, zoom: communes.zoom, thinned: new Map(), paths: new Map() };
  drawn.set(communes.arc_steps, shapes);
  return shapes;
}

const columnOf = (coded) => coded.of.map((at) => (at === null ? null : coded.words[at]));
function prepare(data) {
  const { communes, gaps } = data;
  const gapOf = new Map(gaps.at.map((at, rank) => [at, rank]));
  const positions = new Map(communes.code.map((code, i) => [code, i]));
  for (const key of ["missing", "certainty", "reason", "operators", "site_operator"]) gaps[key] = columnOf(gaps[key]);
  return { data, communes, gaps, gapOf, positions, shapes: shapesOf(communes), sites: prepareSites(data.sites, communes.zoom) };
}

// ---- places
const place = (x, y) => map.unproject([x, y], side.communes.zoom);
const labelPlace = (i) => place(side.communes.label_x[i], side.communes.label_y[i]);
const boundsOf = (box) => L.latLngBounds(place(box[0], box[3]), place(box[2], box[1]));
const pathPen = document.createElement("canvas").getContext("2d");
function pathOf(i) {
  const { arcs, rings, paths } = side.shapes;
  if (!paths.has(i)) {
    const path = new Path2D();
    for (const ring of rings[i]) traceRing(path, ring, (arc, isBack, visit) => {
      const from = arcs.start[arc], to = arcs.start[arc + 1];
      if (isBack) for (let k = to - 1; k >= from; k--) visit(arcs.x[k], arcs.y[k]);
      else for (let k = from; k < to; k++) visit(arcs.x[k], arcs.y[k]);
    });
    paths.set(i, path);
  }
  return paths.get(i);
}
function traceRing(path, ring, walk) {
  let isFirst = true;
  for (const number of ring) walk(number < 0 ? -1 - number : number, number < 0, (x, y) => {
    if (isFirst) path.moveTo(x, y); else path.lineTo(x, y);
    isFirst = false;
  });
  path.closePath();
}
function communeAt(latlng) {
  const { x, y } = map.project(latlng, side.communes.zoom);
  return side.shapes.boxes.findIndex((box, i) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && pathPen.isPointInPath(pathOf(i), x, y));
}
