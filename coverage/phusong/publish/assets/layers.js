// What is shown: the choice of layer, its classes, and the legend.
const { breaks: BREAKS, classes: COLOURS, tiers: TIER_COLOURS, changes: CHANGE_COLOURS } = style.palette;
const BREAK_DIGITS = BREAKS.every((limit) => Number.isInteger(Math.round(limit * 1e6) / 1e4)) ? 0 : 1;
const CHANGES = [-0.1, -0.01, 0.01, 0.1];   // limits of the classes of a change between two maps
const layerControls = ["indicator", "service", "operator", "evidence"].map(byId);

// ---- layers of a map by their key; evidence only tells apart what the rest does not
const kindOf = (layer) => layer.evidence.words.join(" ");
const keysOf = (layer) => [layer.indicator, layer.service, layer.operator, kindOf(layer)];
const layersBy = (data, ...keys) => data.layers.filter((layer) => keys.every((key, k) => keysOf(layer)[k] === key));
const layerOf = (data, ...keys) => layersBy(data, ...keys)[0];
const current = (data = side.data) => layerOf(data, ...layerControls.map((control) => control.value)) || layerOf(data, ...layerControls.slice(0, 3).map((control) => control.value));
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
const distinct = (at, layers) => [...new Set(layers.map((layer) => keysOf(layer)[at]))];
const kindName = (kind) => kind.split(" ").map(word).join(", ");
// Fill the choices again: each leaves those to the next that go with it.
function refill(wanted = layerControls.map((control) => control.value)) {
  const isKnown = (layer) => layer.share.some((share) => share !== null);
  const usual = [layersBy(side.data, "share_population").some(isKnown) ? "share_population" : "share_area", "5g", "any"];
  layerControls.forEach((control, k) => {
    const values = distinct(k, layersBy(side.data, ...layerControls.slice(0, k).map((before) => before.value)));
    fill(control, values, [word, word, operatorName, kindName][k], [wanted[k], usual[k]]);
  });
  byId("evidence-row").hidden = byId("evidence").disabled;
}

// ---- figures of a commune, 0 to 1; null is not known
const share = (layer, i, data = side.data) => (!layer || layer.share[i] === null ? null : layer.share[i] / data.parts);
const bound = (layer, i, name, sign, data) => (!layer || !layer[name] || layer[name][i] === null ? null : ((layer.share[i] || 0) + sign * layer[name][i]) / data.parts);
const low = (layer, i, data = side.data) => bound(layer, i, "below", -1, data);
const high = (layer, i, data = side.data) => bound(layer, i, "above", 1, data);
const evidenceOf = (layer, i) => (layer.evidence.of[i] === null ? null : layer.evidence.words[layer.evidence.of[i]]);
const other = () => sides.find((one) => one !== side);
// The change of a share from the other map to this one, where both have the commune.
function change(layer, i) {
  const at = other() ? other().positions.get(side.communes.code[i]) : undefined;
  if (at === undefined) return null;
  const [now, then] = [share(layer, i), share(current(other().data), at, other().data)];
  return now === null || then === null ? null : now - then;
}

// ---- classes: -1 is not known
function classOf(layer, i) {
  if (state.isChange) {
    const by = change(layer, i);
    return by === null ? -1 : CHANGES.filter((limit) => (limit < 0 ? by > limit : by >= limit)).length;
  }
  const value = share(layer, i);
  if (value === null) return -1;
  if (isTier(layer)) return value >= 1 ? 1 : 0;
  return BREAKS.filter((limit) => value >= limit).length;
}
const coloursOf = (layer) => (state.isChange ? CHANGE_COLOURS : isTier(layer) ? TIER_COLOURS : COLOURS);
const tierText = (layer, i) => [words.unknown, words.no, words.yes][[null, 0, 1].indexOf(share(layer, i) === null ? null : Math.floor(share(layer, i)))];
const intervalText = (layer, i) => range(low(layer, i), high(layer, i));
function valueText(i) {
  const layer = current();
  if (!layer) return words.no_data;
  if (state.isChange) return `${layerTitle(layer)}: ${points(change(layer, i))} ${words.points}`;
  if (isTier(layer)) return `${word(layer.indicator)}: ${tierText(layer, i)}`;
  return classOf(layer, i) < 0 ? words.no_data : `${layerTitle(layer)}: ${percent(share(layer, i))} [${intervalText(layer, i)}]`;
}
function layerTitle(layer) {
  const isOfService = layer.indicator.startsWith("share_");
  const who = layer.operator === "any" ? "" : ` · ${operatorName(layer.operator)}`;
  return (isOfService ? fillIn(words.of_service, { indicator: word(layer.indicator), service: word(layer.service) }) : word(layer.indicator)) + who;
}

// ---- legend
function classTexts(layer) {
  if (isTier(layer) && !state.isChange) return [words.no, words.yes];
  const limits = (state.isChange ? CHANGES : BREAKS).map((limit) => (state.isChange ? points(limit).replace(/[,.]0$/, "") : number(limit * 100, BREAK_DIGITS)));
  const unit = state.isChange ? "" : " %", first = state.isChange ? `≤ ${limits[0]}` : `< ${limits[0]}${unit}`;
  return [first, ...limits.slice(1).map((limit, k) => `${limits[k]} – ${limit}${unit}`), `≥ ${limits.at(-1)}${unit}`];
}
function drawLegend(layer) {
  const legend = clear(byId("legend")), table = make("table"), head = table.createTHead().insertRow();
  legend.append(make("summary", layer ? layerTitle(layer) + (state.isChange ? ` · ${words.change} (${words.points})` : "") : words.no_data));
  head.append(make("td"), make("td"));
  for (const title of [words.communes, words.people]) head.append(Object.assign(make("th", title), { scope: "col" }));
  const counts = new Map(), persons = new Map();
  classes.forEach((at, i) => {
    counts.set(at, (counts.get(at) || 0) + 1);
    persons.set(at, (persons.get(at) || 0) + (side.communes.population[i] || 0));
  });
  const body = table.createTBody(), colours = coloursOf(layer), said = classTexts(layer);
  const row = (text, at) => {
    const line = body.insertRow(), swatch = make("span", null, "swatch");
    line.insertCell().append(swatch);
    line.insertCell().textContent = text;
    if (at !== null) {
      line.insertCell().textContent = number(counts.get(at) || 0);
      line.insertCell().textContent = number(persons.get(at) || 0);
      line.dataset.class = at;
    } else line.cells[1].colSpan = 3;
    return swatch;
  };
  for (let at = colours.length - 1; at >= 0; at--) {
    const swatch = row(said[at], at);
    swatch.style.backgroundColor = colours[at];
    if (isVeiled(layer)) swatch.style.backgroundImage = `linear-gradient(90deg, transparent 50%, ${pale(colours[at])} 50%)`;
  }
  row(isTier(layer) ? words.unknown : words.no_data, -1).classList.add("hatched");
  drawExtraRows(layer, row);
  legend.append(table);
  if (!style.palette.is_policy && !state.isChange) legend.append(make("p", words.own_breaks));
  if (layer) writeTotals(layer, legend);
}
function drawExtraRows(layer, row) {
  if (isVeiled(layer)) row(`${words.not_covered} ${word(layer.service)} ${words.in_pale}`, null).style.backgroundColor = pale(COLOURS[2]);
  if (byId("show-gaps").checked) for (const kind of ["gap", "probable"]) {
    const count = side.gaps.certainty.filter((certainty) => certainty === kind).length;
    const where = isNear() ? "" : ` · ${words.outlined_nearer}`;
    if (count) row(`${words["legend_" + kind]}: ${number(count)} ${words.communes}${where}`, null).classList.add(kind);
  }
  if (side.sites.x.length && byId("show-sites").checked && !areSitesSingle()) row(fillIn(words.density, { n: number(side.sites.x.length) }), null).classList.add("dot-swatch");
}
function writeTotals(layer, legend) {
  const { communes, data } = side, sum = (column) => column.reduce((total, value) => total + (value || 0), 0);
  const [all, lowest, highest] = (layer.total || []).map((parts) => (parts === null ? null : parts / data.parts));
  if (all !== undefined && !state.isChange) {
    const bounds = lowest === null ? "" : ` [${range(lowest, highest)}]`;
    legend.append(make("p", `${words.whole_area}: ${percent(all)}${bounds}`, "total"));
  }
  const whole = layer.indicator === "share_area" ? `${number(sum(communes.area_ha) / 100)} km²` : peopleText(sum(communes.population));
  legend.append(make("p", `${words.denominator}: ${whole}, ${number(communes.code.length)} ${words.communes}`));
  legend.append(make("p", `${words.as_of} ${dayOf(data)} · ${words.evidence}: ${kindName(kindOf(layer)) || "–"}`));
  if (!data.sources.length) return;
  const source = make("p", `${words.sources}: ${data.sources.join(" · ")}`, "source");
  source.title = source.textContent;
  legend.append(source);
}
