"use strict";
// What is shown: the choice of layer, its classes, the legend, and the area that is not covered.
const { breaks: BREAKS, classes: COLOURS, tiers: TIER_COLOURS } = data.palette;
const indicator = byId("indicator"), service = byId("service"), operator = byId("operator");

const layerKey = (layer) => JSON.stringify([layer.indicator, layer.service, layer.operator]);
const layers = new Map(data.layers.map((layer) => [layerKey(layer), layer]));
const layerOf = (...keys) => layers.get(JSON.stringify(keys));
const current = () => layerOf(indicator.value, service.value, operator.value);
const isTier = (layer) => layer !== undefined && layer.indicator.startsWith("broadband_");

function fill(select, values, say, wanted) {
  clear(select);
  for (const value of values) {
    const option = make("option", say(value));
    option.value = value;
    select.append(option);
  }
  select.value = wanted.find((value) => values.includes(value)) || values[0];
  select.disabled = values.length < 2;
}
const distinct = (field, isMeant) => [...new Set(data.layers.filter(isMeant).map((layer) => layer[field]))];
function fillIndicators() {
  const isKnown = (layer) => layer.indicator === "share_population" && layer.share.some((share) => share !== null);
  const first = data.layers.some(isKnown) ? "share_population" : "share_area";
  fill(indicator, distinct("indicator", () => true), word, [first]);
}
function refill() {
  const wanted = [service.value, "5g"];
  fill(service, distinct("service", (l) => l.indicator === indicator.value), word, wanted);
  fill(operator, distinct("operator", (l) => l.indicator === indicator.value && l.service === service.value), operatorName, [operator.value, "any"]);
}

// ---- classes: -1 is not known
function classOf(layer, i) {
  const parts = layer ? layer.share[i] : null;
  if (parts === null) return -1;
  if (isTier(layer)) return parts === 10000 ? 1 : 0;
  return BREAKS.filter((limit) => parts / 10000 >= limit).length;
}
const hatch = (() => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const brush = tile.getContext("2d");
  brush.fillStyle = "#ededed"; brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = "#a9a9a9"; brush.beginPath();
  for (const shift of [-8, 0, 8]) { brush.moveTo(shift, 8); brush.lineTo(shift + 8, 0); }
  brush.stroke();
  return brush.createPattern(tile, "repeat");
})();
const coloursOf = (layer) => (isTier(layer) ? TIER_COLOURS : COLOURS);
const tierText = (layer, i) => [words.unknown, words.no, words.yes][classOf(layer, i) + 1];
const intervalText = (layer, i) => (layer.low ? range(layer.low[i], layer.high[i]) : words.no_interval);
function valueText(i) {
  const layer = current();
  if (isTier(layer)) return `${word(layer.indicator)}: ${tierText(layer, i)}`;
  return classOf(layer, i) < 0 ? words.no_data : `${layerTitle(layer)}: ${percent(layer.share[i])} [${intervalText(layer, i)}]`;
}
function layerTitle(layer) {
  const isOfService = layer.indicator.startsWith("share_");
  const who = layer.operator === "any" ? "" : ` · ${operatorName(layer.operator)}`;
  return (isOfService ? fillIn(words.of_service, { indicator: word(layer.indicator), service: word(layer.service) }) : word(layer.indicator)) + who;
}

// ---- area that is not covered: known for some services, by any operator
const uncovered = L.layerGroup();
const picturesOf = (layer) => !layer || !layer.indicator.startsWith("share_") || layer.operator !== "any" ? []
  : data.uncovered.filter((picture) => picture.service === layer.service);
function drawUncovered(layer) {
  uncovered.clearLayers();
  const pictures = picturesOf(layer), box = byId("show-uncovered");
  box.disabled = !pictures.length;
  byId("uncovered-note").hidden = Boolean(pictures.length) || !data.uncovered.length;
  if (!box.checked) return;
  for (const picture of pictures) {
    const [south, west, north, east] = picture.bounds;
    uncovered.addLayer(L.imageOverlay(picture.url, [[south, west], [north, east]], { pane: "uncovered", interactive: false }));
  }
}
const isVeiled = (layer) => byId("show-uncovered").checked && picturesOf(layer).length > 0;
// The colour of a class under the veil of what is not covered.
function pale(colour) {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * data.palette.veil)).join(" ")})`;
}

// ---- legend
function drawLegend(layer, counts) {
  const legend = clear(byId("legend"));
  legend.append(make("summary", layer ? layerTitle(layer) : words.no_data));
  const table = make("table");
  const row = (text, count) => {
    const line = table.insertRow(), swatch = make("span", null, "swatch");
    line.insertCell().append(swatch);
    line.insertCell().textContent = text;
    line.insertCell().textContent = count === null ? "" : `${number(count)} ${words.communes}`;
    return { line, swatch };
  };
  const colours = coloursOf(layer), limits = [0, ...BREAKS, 1].map((limit) => number(limit * 100));
  for (let at = colours.length - 1; at >= 0; at--) {
    const share = at === colours.length - 1 ? `≥ ${limits[at]} %` : `${limits[at]} – ${limits[at + 1]} %`;
    const { line, swatch } = row(isTier(layer) ? [words.no, words.yes][at] : share, counts.get(at) || 0);
    line.dataset.class = at;
    swatch.style.backgroundColor = colours[at];
    if (isVeiled(layer)) swatch.style.backgroundImage = `linear-gradient(90deg, transparent 50%, ${pale(colours[at])} 50%)`;
  }
  const unknown = row(isTier(layer) ? words.unknown : words.no_data, counts.get(-1) || 0);
  unknown.line.dataset.class = -1;
  unknown.swatch.classList.add("hatched");
  if (isVeiled(layer)) {
    const { line, swatch } = row(`${words.not_covered} ${word(layer.service)} ${words.in_pale}`, null);
    line.cells[1].colSpan = 2;
    line.deleteCell(2);
    swatch.style.backgroundColor = pale(COLOURS[2]);
  }
  if (byId("show-gaps").checked) for (const kind of ["gap", "probable"]) {
    const count = data.gaps.filter((gap) => gap.certainty === kind).length;
    if (count) row(words["legend_" + kind], count).swatch.classList.add(kind);
  }
  legend.append(table);
  legend.append(make("p", `${words.as_of} ${day}`));
  if (layer) legend.append(make("p", `${words.evidence}: ${word(layer.evidence)}`));
  if (data.sources.length) {
    const source = make("p", `${words.sources}: ${data.sources.join(" · ")}`, "source");
    source.title = source.textContent;
    legend.append(source);
  }
}
