// The chosen commune: its outline and figures; and the list of gap communes.
const isNarrow = window.matchMedia("(max-width: 760px)");
let chosenOutline = null;

function select(i, isToZoom) {
  state.commune = side.communes.code[i];
  drawChosen();
  drawCommune();
  // On a phone the map and, right under it, the figures fill the screen.
  (isNarrow.matches ? map.getContainer() : byId("commune")).scrollIntoView({ block: isNarrow.matches ? "start" : "nearest" });
  if (isToZoom) zoomToChosen();
  writeAddress();
}
const zoomToChosen = () => map.fitBounds(boundsOf(side.shapes.boxes[chosenAt()]), { maxZoom: 12, padding: [30, 30], animate: false });
const chosenAt = () => (state.commune === null ? undefined : side.positions.get(state.commune));
function drawChosen() {
  if (chosenOutline) chosenOutline.remove();
  chosenOutline = null;
  const i = chosenAt();
  if (i === undefined) return;
  const { arcs, rings } = side.shapes;
  const lines = rings[i].map((ring) => ring.flatMap((number) => {
    const arc = number < 0 ? -1 - number : number, points = [];
    for (let k = arcs.start[arc]; k < arcs.start[arc + 1]; k++) points.push(place(arcs.x[k], arcs.y[k]));
    return number < 0 ? points.reverse() : points;
  }));
  const look = { pane: "chosen", interactive: false, fill: false };
  chosenOutline = L.layerGroup([
    L.polygon(lines, { ...look, color: "#fff", weight: 5 }), L.polygon(lines, { ...look, color: "#111", weight: 2.5 }),
  ]).addTo(map);
}

function drawCommune() {
  const section = clear(byId("commune")), i = chosenAt();
  if (i === undefined) { section.append(make("p", words.pick)); return; }
  const { communes, data } = side, list = make("dl"), shown = current();
  const row = (title, value, interval) => {
    const line = make("div"), said = make("dd", value);
    if (interval) said.append(" ", make("span", interval, "interval"));
    line.append(make("dt", title), said);
    list.append(line);
    return line;
  };
  const figure = (layer) => {
    const value = isTier(layer) ? tierText(layer, i) : percent(share(layer, i)), notes = [];
    if (!isTier(layer) && low(layer, i) !== null) notes.push(`[${intervalText(layer, i)}]`);
    if (evidenceOf(layer, i)) notes.push(word(evidenceOf(layer, i)));
    if (other() && thenText(layer, i)) notes.push(thenText(layer, i));
    row(layerTitle(layer), value, notes.join(" · ")).dataset.layer = `${layer.indicator} ${layer.service} ${layer.operator}`;
  };
  section.append(make("h2", `${communes.name[i]} (${communes.code[i]})`), list);
  row(words.population, communes.population[i] === null ? words.unknown : peopleText(communes.population[i]));
  row(words.area, number(communes.area_ha[i] === null ? null : communes.area_ha[i] / 100, 1) + " km²");
  const usual = ["share_population", "share_area"].flatMap((kind) => ["5g", "4g"].map((of) => layerOf(data, kind, of, "any"))).filter(Boolean);
  for (const layer of usual) figure(layer);
  if (shown && !isTier(shown) && !usual.includes(shown)) figure(shown);
  for (const tier of ["broadband_b0", "broadband_b1", "broadband_b2", "broadband_b3"]) {
    const layer = layerOf(data, tier, "broadband", "any");
    if (layer) figure(layer);
  }
  drawGap(i, row);
  if (usual.some((layer) => layer.below)) section.append(make("p", words.interval_note, "interval"));
  section.append(communeLinks(i));
}
// What the other map says of the same layer and commune.
function thenText(layer, i) {
  const at = other().positions.get(side.communes.code[i]);
  const then = layerOf(other().data, ...keysOf(layer).slice(0, 3));
  if (at === undefined || !then) return "";
  const value = share(then, at, other().data);
  const said = isTier(layer) ? [words.no, words.yes][Math.floor(value)] : percent(value);
  return `${sideName(other())}: ${value === null ? words.unknown : said}`;
}
function communeLinks(i) {
  const line = make("p", null, "links"), link = make("a", words.link);
  link.href = addressOf();
  line.append(link, makeButton(words.download_row, () => downloadCommune(i)));
  return line;
}
function drawGap(i, row) {
  const { gaps, gapOf } = side, at = gapOf.get(i);
  if (at === undefined) { row(words.missing, words.no_gap); return; }
  row(words.missing, `${missingText(at)} (${word(gaps.certainty[at])})`).classList.add("gap");
  row(words.rank, fillIn(words.rank_of, { rank: number(at + 1), n: number(gaps.at.length) }));
  row(words.uncovered_people, peopleOrUnknown(gaps.people[at]));
  row(words.uncovered_area, number(gaps.ha[at] === null ? null : gaps.ha[at] / 100, 1) + " km²");
  row(words.operators_present, gaps.operators[at] || "–");
  if (gaps.site_m[at] !== null) row(words.nearest, `${number(gaps.site_m[at] / 1000, 1)} km · ${gaps.site_operator[at]}`);
  if (gaps.reason[at]) row(words.reason, word(gaps.reason[at]));
}
const peopleOrUnknown = (count) => (count === null ? words.unknown : peopleText(count));
const missingText = (at) => side.gaps.missing[at].split(";").map((code) => word("m_" + code)).join(", ");

const FIRST_GAPS = 100;
function writeGapList(most = FIRST_GAPS) {
  const box = byId("gap-list"), list = clear(box.querySelector("ol")), { gaps, communes } = side;
  box.querySelector("summary").textContent = `${words.gap_list} (${number(gaps.at.length)})`;
  box.querySelector("p").textContent = words.gap_hint;
  gaps.at.slice(0, most).forEach((at, rank) => {
    const button = makeButton(null, () => select(at, true)), item = make("li");
    button.append(
      make("span", number(rank + 1)), make("span", communes.name[at]), make("span", peopleOrUnknown(gaps.people[rank])),
      make("small", `${missingText(rank)} · ${word(gaps.certainty[rank])}`),
    );
    item.append(button);
    list.append(item);
  });
  if (gaps.at.length <= most) return;
  const item = make("li");
  item.append(makeButton(fillIn(words.show_all, { n: number(gaps.at.length) }), () => writeGapList(Infinity), "more"));
  list.append(item);
}
