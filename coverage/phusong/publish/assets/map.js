"use strict";
(function () {
  const data = JSON.parse(document.getElementById("phusong-data").textContent);
  const words = data.words;
  const locale = data.lang === "vi" ? "vi-VN" : "en-GB";
  const map = window[document.querySelector(".folium-map").id];
  const COLOURS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"];
  const BREAKS = [0.4, 0.6, 0.8, 0.95, 0.99];
  let fitted = true;
  const TIER_COLOURS = { yes: "#22a884", no: "#440154" };
  const TECHNOLOGY_COLOURS = { "5G SA": "#b5179e", "5G": "#d81b60", "5G NSA": "#f06292", "4G": "#1e66d0", "3G": "#f29111", "2G": "#6b6b6b" };
  const SITES_FROM_ZOOM = 10;
  const MANY_SITES = 1500;
  const GAP_COLOUR = "#c43c28";
  const communes = data.communes;
  const n = communes.code.length;

  const word = (key) => (key in words ? words[key] : String(key).toUpperCase());
  const number = (value, digits) => value === null || value === undefined ? "–"
    : new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const percent = (parts) => {
    if (parts === null || parts === undefined) return words.unknown;
    const shown = parts === 10000 ? 100 : parts === 0 ? 0 : Math.min(Math.max(Math.round(parts / 10) / 10, 0.1), 99.9);
    return number(shown, 1) + " %";
  };
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const clear = (element) => { element.replaceChildren(); return element; };
  const byId = (id) => document.getElementById(id);

  // ---- what stays: title, labels, targets, about
  document.title = `${words.title} – ${data.place || "phusong"}`;
  byId("title").textContent = `${words.title}${data.place ? " · " + data.place : ""}`;
  byId("subtitle").textContent = `${words.as_of} ${new Date(data.as_of + "T00:00:00").toLocaleDateString(locale)}`;
  for (const label of ["synthetic", "schematic"]) if (data[label]) byId("badges").append(make("span", words[label]));
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  byId("search").placeholder = words.search;
  byId("search").setAttribute("aria-label", words.search_label);

  const targets = byId("targets");
  targets.append(make("h2", words.targets));
  for (const target of data.targets) {
    const line = make("p");
    line.append(make("span", word(target.status), "status " + target.status));
    const first = target.readings[0];
    const share = first.share === null ? words.unknown : percent(toParts(first.share));
    const range = first.share_low === null ? words.no_interval : `${percent(toParts(first.share_low))} – ${percent(toParts(first.share_high))}`;
    line.append(` · ${data.lang === "vi" ? target.title_vi : target.title_en}: `, make("strong", share), ` [${range}], ${words.due} ${target.due.slice(0, 4)}`);
    targets.append(line);
  }
  const about = byId("about");
  const aboutLine = (title, items) => { if (items.length) about.append(make("p", `${title}: ${items.join(" · ")}`)); };
  aboutLine(words.sources, data.sources);
  aboutLine(words.notes, data.notes);

  function toParts(share) { return share >= 1 ? 10000 : share <= 0 ? 0 : Math.min(9999, Math.max(1, Math.round(share * 10000))); }

  // ---- shapes
  const decode = (polygons) => polygons.map((rings) => rings.map((steps) => {
    const points = [];
    let x = 0, y = 0;
    for (let i = 0; i < steps.length; i += 2) {
      x += steps[i]; y += steps[i + 1];
      points.push([y / communes.factor, x / communes.factor]);
    }
    return points;
  }));
  const pane = (name, z, quiet) => {
    const element = map.createPane(name);
    element.style.zIndex = z;
    if (quiet) element.style.pointerEvents = "none";
    return name;
  };
  pane("communes", 300); pane("uncovered", 350, true); pane("outline", 400, true); pane("sites", 420, true);
  const shapeRenderer = L.canvas({ pane: "communes", padding: 0.3 });
  const outlineRenderer = L.canvas({ pane: "outline", padding: 0.3 });
  const hatch = (() => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = "#ededed"; pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = "#a9a9a9"; pen.beginPath();
    for (const shift of [-8, 0, 8]) { pen.moveTo(shift, 8); pen.lineTo(shift + 8, 0); }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  })();
  const shapes = communes.rings.map((rings, i) => {
    const shape = L.polygon(decode(rings), { renderer: shapeRenderer, pane: "communes", color: "#ffffff", weight: 0.7, fillOpacity: 1 });
    shape.on("click", (event) => { select(i, false); L.DomEvent.stopPropagation(event); pickSite(event.latlng); });
    shape.bindTooltip(() => {
      const box = make("div");
      box.append(make("strong", communes.name[i]), make("br"), valueText(i));
      return box;
    }, { sticky: true });
    return shape.addTo(map);
  });
  const view = L.latLngBounds([data.view[1], data.view[0]], [data.view[3], data.view[2]]);
  const fit = () => { map.fitBounds(view, { animate: false, padding: [12, 12] }); fitted = true; };

  const gapOf = new Map(data.gaps.map((gap, rank) => [gap.at, { ...gap, rank: rank + 1 }]));
  const outline = L.layerGroup(data.gaps.filter((gap) => gap.certainty !== "unknown").map((gap) => L.polygon(shapes[gap.at].getLatLngs(), {
    renderer: outlineRenderer, pane: "outline", interactive: false, fill: false, color: GAP_COLOUR,
    weight: n > 500 ? 0.9 : 1.6, dashArray: gap.certainty === "probable" ? "4 4" : null,
  })));
  let chosen = null;

  // ---- layers
  const layerKey = (layer) => `${layer.indicator}|${layer.service}|${layer.operator}`;
  const layers = new Map(data.layers.map((layer) => [layerKey(layer), layer]));
  const distinct = (name, filter) => [...new Set(data.layers.filter(filter).map((layer) => layer[name]))];
  const fill = (select, values, kept) => {
    clear(select);
    for (const value of values) { const option = make("option", word(value) === value.toUpperCase() && !(value in words) && select.id === "operator" ? value : word(value)); option.value = value; select.append(option); }
    if (values.includes(kept)) select.value = kept;
    select.disabled = values.length < 2;
  };
  const indicator = byId("indicator"), service = byId("service"), operator = byId("operator");
  const indicators = distinct("indicator", () => true);
  const hasPeople = data.layers.some((layer) => layer.indicator === "share_population" && layer.share.some((s) => s !== null));
  fill(indicator, indicators, hasPeople ? "share_population" : "share_area");
  const refill = () => {
    fill(service, distinct("service", (l) => l.indicator === indicator.value), service.value || "5g");
    if (!service.dataset.set && [...service.options].some((o) => o.value === "5g")) service.value = "5g";
    service.dataset.set = "1";
    fill(operator, distinct("operator", (l) => l.indicator === indicator.value && l.service === service.value), operator.value || "any");
  };
  const current = () => layers.get(`${indicator.value}|${service.value}|${operator.value}`);
  const isTier = (layer) => layer && layer.indicator.startsWith("broadband_");
  const classOf = (layer, i) => {
    const parts = layer ? layer.share[i] : null;
    if (parts === null || parts === undefined) return -1;
    if (isTier(layer)) return parts === 10000 ? 1 : 0;
    return BREAKS.filter((limit) => parts / 10000 >= limit).length;
  };
  const colourOf = (layer, at) => at < 0 ? hatch : isTier(layer) ? (at ? TIER_COLOURS.yes : TIER_COLOURS.no) : COLOURS[at];
  const intervalText = (layer, i) => !layer.low || layer.low[i] === null ? words.no_interval : `${percent(layer.low[i])} – ${percent(layer.high[i])}`;
  const valueText = (i) => {
    const layer = current();
    if (!layer) return words.no_data;
    const at = classOf(layer, i);
    if (isTier(layer)) return at < 0 ? words.unknown : at ? words.yes : words.no;
    return at < 0 ? words.no_data : `${percent(layer.share[i])} [${intervalText(layer, i)}]`;
  };

  function drawLegend(layer, counts) {
    const legend = clear(byId("legend"));
    const name = layer ? `${word(layer.indicator)}${isTier(layer) || layer.indicator === "low_cost" ? "" : ", " + word(layer.service)}` : words.no_data;
    legend.append(make("h2", name));
    const table = make("table");
    const row = (paint, text, count) => {
      const line = table.insertRow();
      const swatch = make("span", null, "swatch");
      paint(swatch);
      line.insertCell().append(swatch);
      line.insertCell().textContent = text;
      line.insertCell().textContent = count === null ? "" : `${number(count, 0)} ${words.communes}`;
    };
    if (isTier(layer)) {
      row((s) => { s.style.background = TIER_COLOURS.yes; }, words.yes, counts.get(1) || 0);
      row((s) => { s.style.background = TIER_COLOURS.no; }, words.no, counts.get(0) || 0);
    } else {
      const limits = [0, ...BREAKS, 1];
      for (let at = COLOURS.length - 1; at >= 0; at--) {
        const text = at === COLOURS.length - 1 ? `≥ ${number(limits[at] * 100, 0)} %` : `${number(limits[at] * 100, 0)} – ${number(limits[at + 1] * 100, 0)} %`;
        row((s) => { s.style.background = COLOURS[at]; }, text, counts.get(at) || 0);
      }
    }
    row((s) => { s.classList.add("hatched"); }, isTier(layer) ? words.unknown : words.no_data, counts.get(-1) || 0);
    if (byId("show-gaps").checked) {
      for (const kind of ["gap", "probable"]) {
        const count = data.gaps.filter((gap) => gap.certainty === kind).length;
        if (count) row((s) => { s.classList.add(kind); }, word(kind), count);
      }
    }
    if (byId("show-uncovered").checked && uncovered.getLayers().length) row((s) => { s.classList.add("washed"); }, `${words.not_covered} (${word(pictureService())})`, null);
    legend.append(table);
    if (layer) legend.append(make("p", `${words.evidence}: ${word(layer.evidence)}`, "interval"));
  }

  // ---- area that is not covered
  const uncovered = L.layerGroup();
  const pictureService = () => data.uncovered.some((p) => p.service === service.value) ? service.value : "5g";
  function drawUncovered() {
    uncovered.clearLayers();
    if (!byId("show-uncovered").checked) return;
    for (const picture of data.uncovered.filter((p) => p.service === pictureService())) {
      const [south, west, north, east] = picture.bounds;
      uncovered.addLayer(L.imageOverlay(picture.url, [[south, west], [north, east]], { pane: "uncovered", interactive: false }));
    }
  }

  // ---- sites, drawn on canvas tiles
  const sites = data.sites;
  const best = sites.best.map((i) => sites.order[i]);
  const technologies = sites.order.filter((name) => best.includes(name));
  for (const name of technologies) {
    const label = make("label"), box = make("input"), dot = make("span", null, "dot");
    box.type = "checkbox"; box.checked = true; box.value = name;
    dot.style.background = TECHNOLOGY_COLOURS[name];
    label.append(box, dot, make("span", name));
    byId("technologies").append(label);
    box.addEventListener("change", () => siteLayer.redraw());
  }
  const shownTechnologies = () => new Set([...byId("technologies").querySelectorAll("input:checked")].map((box) => box.value));
  const sitesFromZoom = sites.lon.length > MANY_SITES ? SITES_FROM_ZOOM : 0;
  const SiteLayer = L.GridLayer.extend({
    createTile(coords) {
      const size = this.getTileSize(), scale = window.devicePixelRatio || 1;
      const tile = document.createElement("canvas");
      tile.width = size.x * scale; tile.height = size.y * scale;
      if (coords.z < sitesFromZoom) return tile;
      const pen = tile.getContext("2d"), shown = shownTechnologies();
      pen.scale(scale, scale);
      const radius = coords.z >= 12 ? 5 : coords.z >= 10 ? 3 : 2;
      for (let i = sites.lon.length - 1; i >= 0; i--) {
        if (!shown.has(best[i])) continue;
        const point = map.project([sites.lat[i], sites.lon[i]], coords.z);
        const x = point.x - coords.x * size.x, y = point.y - coords.y * size.y;
        if (x < -6 || y < -6 || x > size.x + 6 || y > size.y + 6) continue;
        pen.beginPath(); pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.fillStyle = TECHNOLOGY_COLOURS[best[i]]; pen.fill();
        pen.lineWidth = 0.8; pen.strokeStyle = "#fff"; pen.stroke();
      }
      return tile;
    },
  });
  const siteLayer = new SiteLayer({ pane: "sites", updateWhenIdle: true });
  const hint = L.control({ position: "bottomright" });
  hint.onAdd = () => make("div", words.zoom_in, "hint");
  function drawHint() {
    hint.remove();
    if (byId("show-sites").checked && map.getZoom() < sitesFromZoom) hint.addTo(map);
  }
  function pickSite(latlng) {
    if (!byId("show-sites").checked || map.getZoom() < sitesFromZoom) return;
    const shown = shownTechnologies(), at = map.latLngToContainerPoint(latlng);
    let found = -1, reach = 9;
    for (let i = 0; i < sites.lon.length; i++) {
      if (!shown.has(best[i])) continue;
      const distance = map.latLngToContainerPoint([sites.lat[i], sites.lon[i]]).distanceTo(at);
      if (distance < reach) { reach = distance; found = i; }
    }
    if (found < 0) return;
    const section = byId("commune");
    const table = make("table");
    const row = (name, value) => { const line = table.insertRow(); line.append(make("th", name)); line.insertCell().textContent = value; };
    row(words.site, sites.name[found] || sites.id[found]);
    row("", `${sites.id[found]} · ${sites.operators[sites.operator[found]]} · ${sites.technologies[sites.technology[found]]}`);
    section.append(table);
  }

  // ---- a commune
  function select(i, zoom) {
    if (chosen) chosen.remove();
    chosen = L.polygon(shapes[i].getLatLngs(), { renderer: outlineRenderer, pane: "outline", interactive: false, fill: false, color: "#111", weight: 3 }).addTo(map);
    if (zoom) fitted = false;
    if (zoom) map.fitBounds(shapes[i].getBounds(), { maxZoom: 12, padding: [30, 30], animate: false });
    drawCommune(i);
  }
  function drawCommune(i) {
    const section = clear(byId("commune"));
    section.append(make("h2", `${communes.name[i]} (${communes.code[i]})`));
    const table = make("table");
    const row = (name, value, interval) => {
      const line = table.insertRow();
      line.append(make("th", name));
      const cell = line.insertCell();
      cell.append(value);
      if (interval) cell.append(make("br"), make("span", `[${interval}]`, "interval"));
    };
    row(words.population, number(communes.population[i], 0));
    row(words.area, number(communes.area_km2[i], 1) + " km²");
    for (const kind of ["share_population", "share_area"]) for (const name of ["5g", "4g"]) {
      const layer = layers.get(`${kind}|${name}|any`);
      if (layer) row(`${word(kind)}, ${word(name)}`, percent(layer.share[i]), intervalText(layer, i));
    }
    const shown = current();
    if (shown && !isTier(shown) && (shown.operator !== "any" || !["5g", "4g"].includes(shown.service))) row(`${word(shown.indicator)}, ${word(shown.service)}, ${shown.operator in words ? word(shown.operator) : shown.operator}`, percent(shown.share[i]), intervalText(shown, i));
    for (const tier of ["broadband_b0", "broadband_b1", "broadband_b2", "broadband_b3"]) {
      const layer = layers.get(`${tier}|broadband|any`);
      if (layer) row(word(tier), layer.share[i] === null ? words.unknown : layer.share[i] ? words.yes : words.no);
    }
    const gap = gapOf.get(i);
    if (!gap) row(words.missing, words.no_gap);
    else {
      row(words.missing, gap.missing.map((code) => word("m_" + code)).join(", "));
      row(words.certainty, word(gap.certainty));
      row(words.uncovered_people, number(gap.people, 0));
      row(words.uncovered_area, number(gap.km2, 1) + " km²");
      row(words.operators_present, gap.operators || "–");
      if (gap.site) row(words.nearest, `${number(gap.site_km, 1)} km · ${gap.site_operator}`);
      row(words.reason, word(gap.reason));
    }
    section.append(table);
  }
  byId("commune").append(make("p", words.pick));

  // ---- the gap list
  byId("gap-list").querySelector("summary").textContent = `${words.gap_list} (${number(data.gaps.length, 0)})`;
  byId("gap-list").querySelector("p").textContent = words.gap_hint;
  const list = byId("gap-list").querySelector("ol");
  data.gaps.forEach((gap, rank) => {
    const button = make("button");
    button.type = "button";
    button.append(make("span", number(rank + 1, 0)), make("span", communes.name[gap.at]), make("span", gap.people === null ? "?" : `${number(gap.people, 0)} ${words.people}`),
      make("small", `${gap.missing.map((code) => word("m_" + code)).join(", ")} · ${word(gap.certainty)}`));
    button.addEventListener("click", () => { select(gap.at, true); byId("commune").scrollIntoView({ block: "nearest" }); });
    const item = make("li");
    item.append(button);
    list.append(item);
  });

  // ---- search
  const bare = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const exact = (text) => text.toLowerCase().normalize("NFC");
  const names = communes.name.map((name) => ({ exact: exact(name), bare: bare(name) }));
  const box = byId("search"), hits = byId("hits");
  let marked = -1;
  function search() {
    const asked = exact(box.value.trim()), plain = bare(box.value.trim());
    const found = [];
    if (asked) names.forEach((name, i) => {
      const at = name.bare.indexOf(plain);
      if (at < 0 && communes.code[i] !== asked) return;
      const startsWord = at === 0 || name.bare[at - 1] === " ";
      found.push([name.exact.includes(asked) ? 0 : 1, startsWord ? 0 : 1, name.bare.length, i]);
    });
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
    clear(hits);
    found.slice(0, 12).forEach(([, , , i], at) => {
      const item = make("li", `${communes.name[i]} (${communes.code[i]})`);
      item.setAttribute("role", "option");
      item.id = "hit-" + at;
      item.dataset.at = i;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(i); });
      hits.append(item);
    });
    mark(found.length ? 0 : -1);
    hits.hidden = !found.length;
    box.setAttribute("aria-expanded", String(!hits.hidden));
  }
  function mark(at) {
    marked = at;
    [...hits.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) { box.setAttribute("aria-activedescendant", "hit-" + at); hits.children[at].scrollIntoView({ block: "nearest" }); } else box.removeAttribute("aria-activedescendant");
  }
  function choose(i) { hits.hidden = true; box.setAttribute("aria-expanded", "false"); box.value = communes.name[i]; select(i, true); }
  box.addEventListener("input", search);
  box.addEventListener("blur", () => { hits.hidden = true; box.setAttribute("aria-expanded", "false"); });
  box.addEventListener("keydown", (event) => {
    const count = hits.children.length;
    if (event.key === "ArrowDown" && count) { mark((marked + 1) % count); event.preventDefault(); }
    else if (event.key === "ArrowUp" && count) { mark((marked + count - 1) % count); event.preventDefault(); }
    else if (event.key === "Enter" && marked >= 0 && !hits.hidden) choose(Number(hits.children[marked].dataset.at));
    else if (event.key === "Escape") hits.hidden = true;
  });

  // ---- map furniture
  const buttons = L.control({ position: "topleft" });
  buttons.onAdd = () => {
    const bar = make("div", null, "leaflet-bar leaflet-control-zoom");
    for (const [sign, title, act] of [["+", words.zoom_in_button, () => { fitted = false; map.zoomIn(1); }], ["−", words.zoom_out_button, () => { fitted = false; map.zoomOut(1); }], ["⌂", words.all_area, fit]]) {
      const button = make("button", sign);
      button.type = "button"; button.title = title; button.setAttribute("aria-label", title);
      button.addEventListener("click", act);
      bar.append(button);
    }
    L.DomEvent.disableClickPropagation(bar);
    return bar;
  };
  buttons.addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.on("zoomend", drawHint);
  map.on("click", (event) => pickSite(event.latlng));

  function draw() {
    refill();
    const layer = current(), counts = new Map();
    shapes.forEach((shape, i) => {
      const at = classOf(layer, i);
      counts.set(at, (counts.get(at) || 0) + 1);
      shape.setStyle({ fillColor: colourOf(layer, at) });
    });
    drawUncovered();
    drawLegend(layer, counts);
    byId("show-gaps").checked ? outline.addTo(map) : outline.remove();
    byId("show-uncovered").checked ? uncovered.addTo(map) : uncovered.remove();
    byId("show-sites").checked ? siteLayer.addTo(map) : siteLayer.remove();
    drawHint();
  }
  for (const id of ["indicator", "service", "operator", "show-gaps", "show-uncovered", "show-sites"]) byId(id).addEventListener("change", draw);
  map.invalidateSize();
  fit();
  draw();
  window.addEventListener("resize", () => { map.invalidateSize(); if (fitted) fit(); });
  map.on("dragstart", () => { fitted = false; });
  map.getContainer().addEventListener("wheel", () => { fitted = false; }, { passive: true });
  document.documentElement.dataset.ready = "yes";
})();
