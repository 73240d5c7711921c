// Everything is put together here, once.
const state = { commune: null, isChange: false };
const sides = maps.map(prepare);
let side = sides[0];

// ---- two maps: one, the other, or what changed from the second to the first
function sideName(one) {
  if (one.data.scenario) return one.data.scenario[lang];
  const days = sides.map(({ data }) => dayOf(data)), at = sides.indexOf(one);
  return new Set(days).size === days.length ? days[at] : `${String.fromCharCode(65 + at)} · ${one.data.place || days[at]}`;
}
function showSide(wanted) {
  state.isChange = wanted === "change" && sides.length > 1;
  side = sides[Number(wanted)] || sides[0];
}
function writeSides() {
  const box = clear(byId("sides"));
  box.hidden = sides.length < 2;
  if (box.hidden) return;
  box.append(make("legend", words.compare));
  const now = state.isChange ? "change" : String(sides.indexOf(side));
  for (const [value, text] of [["1", sideName(sides[1])], ["0", sideName(sides[0])], ["change", words.change]]) {
    const label = make("label"), input = make("input");
    input.type = "radio"; input.name = "side"; input.value = value; input.checked = value === now;
    input.addEventListener("change", () => {
      showSide(value);
      refill();
      writeAll();
      drawNames();
      byId("sides").querySelector("input:checked").focus();
      writeAddress();
    });
    label.append(input, make("span", text));
    box.append(label);
  }
}

const buttons = L.control({ position: "topleft" });
buttons.onAdd = () => {
  const bar = make("div", null, "leaflet-bar");
  for (const [sign, act] of [["+", () => map.zoomIn(1)], ["−", () => map.zoomOut(1)], ["⌂", () => { fit(); writeAddress(); }]]) bar.append(makeButton(sign, act));
  L.DomEvent.disableClickPropagation(bar);
  return bar;
};
function writeButtons() {
  [words.zoom_in_button, words.zoom_out_button, words.all_area].forEach((title, k) => {
    const button = buttons.getContainer().children[k];
    button.title = title;
    button.setAttribute("aria-label", title);
  });
  map.getContainer().setAttribute("aria-label", words.map_label);
}

// Draw the layer that is chosen: its classes, what lies over it, and the legend.
function draw() {
  const layer = current();
  classes = side.communes.code.map((_, i) => classOf(layer, i));
  classColours = coloursOf(layer);
  communeLayer.repaint();
  outlineLayer.repaint();
  siteLayer.repaint();
  drawUncovered(layer);
  for (const [id, drawing] of [["show-gaps", outlineLayer], ["show-uncovered", uncovered], ["show-sites", siteLayer]]) {
    if (byId(id).checked) drawing.addTo(map); else drawing.remove();
  }
  for (const box of byId("technologies").querySelectorAll("input")) box.disabled = !byId("show-sites").checked;
  drawLegend(layer);
  drawTable();
}
function writeAll() {
  writeHeading(side.data);
  writeSides();
  writeTargets(side.data);
  writeAbout(side.data);
  writeGapList();
  writeTechnologies();
  writeButtons();
  refill();
  drawChosen();
  drawCommune();
  draw();
}

readTheme();
map.addControl(buttons);
L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
map.getContainer().setAttribute("role", "region");
byId("gap-list").open = !isNarrow.matches;
map.on("zoomend", () => { drawUncovered(current()); drawLegend(current()); });
map.on("moveend", () => { drawNames(); if (!isFitting) writeAddress(); });
openAddress();
communeLayer.addTo(map);

for (const control of [...layerControls, ...byId("controls").querySelectorAll("fieldset > label input")]) {
  control.addEventListener("change", () => { refill(); draw(); drawCommune(); writeAddress(); });
}
byId("switch-language").addEventListener("click", () => {
  lang = nextLanguage();
  words = style.words[lang];
  writeAll();
  drawNames();
  writeAddress();
});
map.on("click", (event) => {
  if (pickSite(event.latlng)) return;
  const i = communeAt(event.latlng);
  if (i >= 0) select(i, false);
});
// From the keyboard: arrows move the map under a cross, Enter chooses what is there.
map.getContainer().addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target !== map.getContainer()) return;
  const i = communeAt(map.getCenter());
  if (i >= 0) select(i, false);
});
const tip = L.tooltip({ offset: [14, 0] });
map.on("mousemove", (event) => {
  const i = communeAt(event.latlng);
  if (i < 0) { tip.remove(); return; }
  const box = make("div");
  box.append(make("strong", side.communes.name[i]), make("br"), valueText(i));
  tip.setLatLng(event.latlng).setContent(box).addTo(map);
});
map.on("mouseout movestart", () => tip.remove());
const repaintTheme = () => { readTheme(); draw(); };
for (const query of ["(prefers-color-scheme: dark)", "print"]) window.matchMedia(query).addEventListener("change", repaintTheme);

// What tests ask for.
window.phusong = { map, codes: () => side.communes.code, labelPlace, communeAt, pickSite, place, word, operatorName, view: () => wholeArea(), sites: () => side.sites };
performance.mark("ready");
document.documentElement.dataset.ready = "yes";
