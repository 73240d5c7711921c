"use strict";
// The chosen commune: its outline, its figures; and the list of gap communes.
const gapOf = new Map(data.gaps.map((gap) => [gap.at, gap]));
const isNarrow = window.matchMedia("(max-width: 760px)");
let chosen = null;

function select(i, isToZoom) {
  if (chosen) chosen.remove();
  chosen = L.polygon(shapes[i].getLatLngs(), { renderer: outlineRenderer, pane: "outline", interactive: false, fill: false, color: "#111", weight: 3 }).addTo(map);
  drawCommune(i);
  // On a phone the map and, right under it, the figures fill the screen.
  (isNarrow.matches ? map.getContainer() : byId("commune")).scrollIntoView({ block: isNarrow.matches ? "start" : "nearest" });
  if (isToZoom) map.fitBounds(shapes[i].getBounds(), { maxZoom: 12, padding: [30, 30], animate: false });
}

function drawCommune(i) {
  const section = clear(byId("commune")), list = make("dl");
  const row = (title, value, interval) => {
    const line = make("div"), said = make("dd", value);
    if (interval) said.append(" ", make("span", `[${interval}]`, "interval"));
    line.append(make("dt", title), said);
    list.append(line);
    return line;
  };
  const share = (layer) => {
    const interval = layer.low && layer.low[i] !== null ? intervalText(layer, i) : null;
    row(layerTitle(layer), percent(layer.share[i]), interval).dataset.layer = `${layer.indicator} ${layer.service} ${layer.operator}`;
  };
  section.append(make("h2", `${communes.name[i]} (${communes.code[i]})`), list);
  row(words.population, communes.population[i] === null ? words.unknown : `${number(communes.population[i])} ${words.people}`);
  row(words.area, number(communes.area_km2[i], 1) + " km²");
  const usual = ["share_population", "share_area"].flatMap((kind) => ["5g", "4g"].map((of) => layerOf(kind, of, "any"))).filter(Boolean);
  const shown = current();
  for (const layer of usual) share(layer);
  if (shown && !isTier(shown) && !usual.includes(shown)) share(shown);
  for (const tier of ["broadband_b0", "broadband_b1", "broadband_b2", "broadband_b3"]) {
    const layer = layerOf(tier, "broadband", "any");
    if (layer) row(word(tier), tierText(layer, i)).dataset.layer = tier;
  }
  drawGap(gapOf.get(i), row);
  if (usual.some((layer) => layer.low)) section.append(make("p", words.interval_note, "interval"));
}

function drawGap(gap, row) {
  if (!gap) { row(words.missing, words.no_gap); return; }
  row(words.missing, `${missingText(gap)} (${word(gap.certainty)})`).classList.add("gap");
  row(words.uncovered_people, gap.people === null ? words.unknown : `${number(gap.people)} ${words.people}`);
  row(words.uncovered_area, number(gap.km2, 1) + " km²");
  row(words.operators_present, gap.operators || "–");
  if (gap.site) row(words.nearest, `${number(gap.site_km, 1)} km · ${gap.site_operator}`);
  if (gap.reason) row(words.reason, word(gap.reason));
}
const missingText = (gap) => gap.missing.map((code) => word("m_" + code)).join(", ");

function writeGapList() {
  const box = byId("gap-list"), list = box.querySelector("ol");
  box.querySelector("summary").textContent = `${words.gap_list} (${number(data.gaps.length)})`;
  box.querySelector("p").textContent = words.gap_hint;
  box.open = !isNarrow.matches;
  data.gaps.forEach((gap, rank) => {
    const button = make("button"), item = make("li");
    button.type = "button";
    button.append(
      make("span", number(rank + 1)), make("span", communes.name[gap.at]),
      make("span", gap.people === null ? words.unknown : `${number(gap.people)} ${words.people}`),
      make("small", `${missingText(gap)} · ${word(gap.certainty)}`),
    );
    button.addEventListener("click", () => select(gap.at, true));
    item.append(button);
    list.append(item);
  });
}
