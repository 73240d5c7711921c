// Sites on canvas tiles: dots from zoom 9, below that how many stand where.
const SITES_FROM_ZOOM = 9, BUCKET_ZOOM = 9, DENSITY_PX = 16;
const FEW_SITES = 500, MANY_SITES = 20000;   // few are dots at every zoom; many are smaller ones
const TECHNOLOGY_COLOURS = style.palette.technologies, TECHNOLOGY_ORDER = Object.keys(TECHNOLOGY_COLOURS);

function prepareSites({ x, y, id, name, operator, technology }, zoom) {
  const technologies = columnOf(technology), best = technologies.map((text) => TECHNOLOGY_ORDER.indexOf(text.split(", ")[0]));
  const buckets = new Map(), size = TILE * 2 ** (zoom - BUCKET_ZOOM);
  x.forEach((_, i) => {
    const key = Math.floor(x[i] / size) + " " + Math.floor(y[i] / size);
    if (!buckets.has(key)) buckets.set(key, []);
    buckets.get(key).push(i);
  });
  // The newest technology comes last: it is drawn over the others.
  for (const bucket of buckets.values()) bucket.sort((a, b) => best[b] - best[a] || a - b);
  return { x, y, id, name, zoom, operators: columnOf(operator), technologies, best, buckets, counts: new Map() };
}

function writeTechnologies() {
  const box = byId("technologies"), off = new Set([...box.querySelectorAll("input:not(:checked)")].map((input) => input.value));
  clear(box);
  TECHNOLOGY_ORDER.forEach((technology, at) => {
    const count = side.sites.best.filter((found) => found === at).length;
    if (!count) return;
    const label = make("label"), input = make("input"), dot = make("span", null, "dot");
    input.type = "checkbox"; input.checked = !off.has(technology); input.value = technology;
    dot.style.background = TECHNOLOGY_COLOURS[technology];
    label.append(input, dot, make("span", technology), make("small", number(count)));
    box.append(label);
    input.addEventListener("change", () => { side.sites.counts.clear(); siteLayer.repaint(); });
  });
  if (side.sites.x.length) box.append(make("p", words.best_technology));
}
const shownTechnologies = () => new Set([...byId("technologies").querySelectorAll("input:checked")].map((box) => TECHNOLOGY_ORDER.indexOf(box.value)));
const areSitesSingle = (z = map.getZoom()) => Math.round(z) >= SITES_FROM_ZOOM || side.sites.x.length <= FEW_SITES;

function bucketsAround(z, west, north, margin) {
  const scale = 2 ** (BUCKET_ZOOM - z) / TILE, found = [];
  const last = (start) => Math.floor((start + TILE + margin) * scale), first = (start) => Math.floor((start - margin) * scale);
  for (let row = first(north); row <= last(north); row++) {
    for (let column = first(west); column <= last(west); column++) {
      const bucket = side.sites.buckets.get(column + " " + row);
      if (bucket) found.push(bucket);
    }
  }
  return found;
}
function paintSites(pen, z, west, north) {
  if (!areSitesSingle(z)) { paintDensity(pen, z, west, north); return; }
  const { x, y, best, zoom } = side.sites, shown = shownTechnologies(), scale = 2 ** (z - zoom);
  const nearer = z - (x.length > MANY_SITES ? 1 : 0);
  const radius = nearer >= 12 ? 5 : nearer >= 11 ? 3.5 : nearer >= 10 ? 2.4 : nearer >= 9 ? 1.5 : 1;
  pen.lineWidth = z >= 11 ? 0.8 : 0.4; pen.strokeStyle = "#fff";
  const dots = bucketsAround(z, west, north, 6).flat();
  dots.sort((a, b) => best[b] - best[a] || a - b);
  for (const i of dots) {
    const px = x[i] * scale - west, py = y[i] * scale - north;
    if (px < -6 || py < -6 || px > TILE + 6 || py > TILE + 6 || !shown.has(best[i])) continue;
    pen.beginPath(); pen.arc(px, py, radius, 0, 2 * Math.PI);
    pen.fillStyle = TECHNOLOGY_COLOURS[TECHNOLOGY_ORDER[best[i]]]; pen.fill();
    if (radius > 1) pen.stroke();
  }
}
// How many sites stand in each square of 16 pixels of a zoom.
function countsOf(z) {
  const { x, y, best, zoom, counts } = side.sites;
  if (!counts.has(z)) {
    const size = DENSITY_PX * 2 ** (zoom - z), shown = shownTechnologies(), of = new Map();
    let most = 1;
    for (let i = 0; i < x.length; i++) {
      if (!shown.has(best[i])) continue;
      const key = Math.floor(x[i] / size) + Math.floor(y[i] / size) * 65536, count = (of.get(key) || 0) + 1;
      of.set(key, count);
      if (count > most) most = count;
    }
    counts.set(z, { of, most });
  }
  return counts.get(z);
}
function paintDensity(pen, z, west, north) {
  const { of, most } = countsOf(z), n = TILE / DENSITY_PX;
  pen.fillStyle = theme.density; pen.strokeStyle = theme.densityLine; pen.lineWidth = 0.7;
  for (let row = -1; row <= n; row++) {
    for (let column = -1; column <= n; column++) {
      const count = of.get(west / DENSITY_PX + column + (north / DENSITY_PX + row) * 65536);
      if (!count) continue;
      pen.beginPath();
      pen.arc((column + 0.5) * DENSITY_PX, (row + 0.5) * DENSITY_PX, Math.max(0.7, 0.36 * DENSITY_PX * Math.sqrt(count / most)), 0, 2 * Math.PI);
      pen.fill(); pen.stroke();
    }
  }
}
const siteLayer = new Tiles(paintSites, { pane: "sites" });

// Show the site at a place, if there is one; a finger is wider than a pointer.
function pickSite(latlng) {
  if (!byId("show-sites").checked || !areSitesSingle()) return false;
  const { x, y, best, zoom, id, name, operators, technologies } = side.sites, shown = shownTechnologies();
  const at = map.project(latlng, zoom), scale = 2 ** (map.getZoom() - zoom);
  let found = -1, reach = (L.Browser.mobile ? 14 : 8) / scale;
  for (let i = 0; i < x.length; i++) {
    const distance = Math.hypot(x[i] - at.x, y[i] - at.y);
    if (distance < reach && shown.has(best[i])) { reach = distance; found = i; }
  }
  if (found < 0) return false;
  const box = make("div", null, "site"), title = id ? (name[found] ? `${name[found]} (${id[found]})` : `${words.site} ${id[found]}`) : words.site;
  box.append(make("strong", title), make("br"), `${operators[found]} · ${technologies[found]}`);
  L.popup({ closeButton: false }).setLatLng(place(x[found], y[found])).setContent(box).openOn(map);
  return true;
}
