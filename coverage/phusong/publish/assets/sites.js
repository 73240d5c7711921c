"use strict";
// Sites on canvas tiles: thousands of them move with the map at no cost.
const TECHNOLOGY_COLOURS = data.palette.technologies;
const SITES_FROM_ZOOM = 10;
const MANY_SITES = 1500;
const sites = data.sites;
const best = sites.best.map((i) => sites.order[i]);
const sitesFromZoom = best.length > MANY_SITES ? SITES_FROM_ZOOM : 0;
// Pixels of zoom 0; those of another zoom are this times a power of two.
const world = best.map((_, i) => map.project([sites.lat[i], sites.lon[i]], 0));

for (const technology of sites.order.filter((known) => best.includes(known))) {
  const label = make("label"), box = make("input"), dot = make("span", null, "dot");
  box.type = "checkbox"; box.checked = true; box.value = technology;
  dot.style.background = TECHNOLOGY_COLOURS[technology];
  const count = best.filter((found) => found === technology).length;
  label.append(box, dot, make("span", technology), make("small", number(count)));
  byId("technologies").append(label);
  box.addEventListener("change", () => siteLayer.redraw());
}
if (best.length) byId("technologies").append(make("p", words.best_technology));
const shownTechnologies = () => new Set([...byId("technologies").querySelectorAll("input:checked")].map((box) => box.value));
const areSitesShown = () => byId("show-sites").checked && map.getZoom() >= sitesFromZoom;

const SiteLayer = L.GridLayer.extend({
  createTile(coords) {
    const size = this.getTileSize(), density = window.devicePixelRatio || 1;
    const tile = document.createElement("canvas");
    tile.width = size.x * density; tile.height = size.y * density;
    if (coords.z < sitesFromZoom) return tile;
    const brush = tile.getContext("2d"), shown = shownTechnologies(), scale = 2 ** coords.z;
    brush.scale(density, density);
    brush.lineWidth = 0.8; brush.strokeStyle = "#fff";
    const radius = coords.z >= 12 ? 5 : coords.z >= 10 ? 3 : 2;
    for (let i = best.length - 1; i >= 0; i--) {   // the newest technology comes first: it is drawn last
      const x = world[i].x * scale - coords.x * size.x, y = world[i].y * scale - coords.y * size.y;
      if (x < -6 || y < -6 || x > size.x + 6 || y > size.y + 6 || !shown.has(best[i])) continue;
      brush.beginPath(); brush.arc(x, y, radius, 0, 2 * Math.PI);
      brush.fillStyle = TECHNOLOGY_COLOURS[best[i]]; brush.fill(); brush.stroke();
    }
    return tile;
  },
});
const siteLayer = new SiteLayer({ pane: "sites", updateWhenIdle: true });

const hint = L.control({ position: "topright" });
hint.onAdd = () => make("div", fillIn(words.zoom_in, { n: number(best.length) }), "hint");
function drawHint() {
  hint.remove();
  if (best.length && byId("show-sites").checked && map.getZoom() < sitesFromZoom) hint.addTo(map);
}

// Show the site at a place, if there is one; a finger is wider than a pointer.
function pickSite(latlng) {
  if (!areSitesShown()) return false;
  const shown = shownTechnologies(), at = map.latLngToContainerPoint(latlng);
  let found = -1, reach = L.Browser.mobile ? 14 : 8;
  for (let i = 0; i < best.length; i++) {
    if (!shown.has(best[i])) continue;
    const distance = map.latLngToContainerPoint([sites.lat[i], sites.lon[i]]).distanceTo(at);
    if (distance < reach) { reach = distance; found = i; }
  }
  if (found < 0) return false;
  const box = make("div", null, "site");
  const title = sites.name[found] ? `${sites.name[found]} (${sites.id[found]})` : `${words.site} ${sites.id[found]}`;
  box.append(make("strong", title), make("br"),
    `${sites.operators[sites.operator[found]]} · ${sites.technologies[sites.technology[found]]}`);
  L.popup({ closeButton: false }).setLatLng([sites.lat[found], sites.lon[found]]).setContent(box).openOn(map);
  return true;
}
map.on("click", (event) => pickSite(event.latlng));
map.on("zoomend", drawHint);
