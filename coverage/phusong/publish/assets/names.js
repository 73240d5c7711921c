// Names: those that fit into their commune and do not touch another; islands and seas from afar.
const NAMES_FROM_PX = 26, TALL_PX = 8.5;   // half the height of a name
const KIND = /^(xã|phường|thị trấn) /i;      // the kind of a commune is told in the panel
const SPECIAL = /^(đặc khu|huyện đảo)/i;   // islands far off, which would be dots without a name
const pen = document.createElement("canvas").getContext("2d");
const SEAS = [[15.2, 113.2, "east_sea"], [19.9, 107.6, "gulf_tonkin"], [9.2, 102.6, "gulf_thailand"],
  [19.6, 102.9, "laos"], [12.9, 104.9, "cambodia"], [24.4, 107.2, "china"]];

function drawNames() {
  clear(namesPane);
  const size = map.getSize(), taken = [], isNear = commonPx(map.getZoom()) >= NAMES_FROM_PX;
  const look = getComputedStyle(namesPane);
  pen.font = `${look.fontWeight} ${look.fontSize} ${look.fontFamily}`;
  const frame = map.getContainer().getBoundingClientRect();
  for (const box of [byId("legend-box"), ...map.getContainer().querySelectorAll(".leaflet-control")].map((element) => element.getBoundingClientRect())) {
    taken.push({ x: box.left - frame.left + box.width / 2, y: box.top - frame.top + box.height / 2, half: box.width / 2, tall: box.height / 2 });
  }
  const put = (text, at, className, shift) => {
    const seen = map.layerPointToContainerPoint(at), half = pen.measureText(text).width / 2 + 4;
    const y = seen.y + shift, isIsland = className === "island" && seen.x > 0 && seen.x < size.x;
    const x = isIsland ? Math.min(Math.max(seen.x, half), size.x - half) : seen.x;   // pushed into view
    if (x < half || x > size.x - half || y < 9 || y > size.y - 9) return false;
    if (taken.some((one) => Math.abs(one.x - x) < one.half + half && Math.abs(one.y - y) < one.tall + TALL_PX)) return false;
    taken.push({ x, y, half, tall: TALL_PX });
    const label = make("span", text, className);
    L.DomUtil.setPosition(label, at.add([x - seen.x, shift]));
    namesPane.append(label);
    return true;
  };
  const scale = 2 ** (map.getZoom() - side.communes.zoom);
  const shown = map.getPixelBounds();
  const order = side.communes.name.map((_, i) => i).filter((i) => {
    const x = side.communes.label_x[i] * scale, y = side.communes.label_y[i] * scale;
    const isSeen = x > shown.min.x && x < shown.max.x && y > shown.min.y && y < shown.max.y;
    return (isSeen && isNear) || SPECIAL.test(side.communes.name[i]);
  });
  const isSpecial = (i) => SPECIAL.test(side.communes.name[i]);
  const spread = (i) => (isSpecial(i) ? side.shapes.boxes[i][3] - side.shapes.boxes[i][1] : 0);
  order.sort((a, b) => spread(b) - spread(a) || (side.communes.population[b] || 0) - (side.communes.population[a] || 0) || a - b);
  for (const i of order) {
    const box = side.shapes.boxes[i], name = side.communes.name[i].replace(KIND, "");
    const width = (box[2] - box[0]) * scale, height = (box[3] - box[1]) * scale;
    const isRoomy = width >= pen.measureText(name).width && height >= 18;
    if (isRoomy && isNear) put(name, map.latLngToLayerPoint(labelPlace(i)), "centre", 9);
    else if (isSpecial(i)) {   // below it, or above it where something else is below
      const [below, above] = [box[3], box[1]].map((y) => map.latLngToLayerPoint(place((box[0] + box[2]) / 2, y)));
      if (!put(name, below, "island", 9)) put(name, above, "island", -9);
    }
  }
  for (const [lat, lon, key] of SEAS) put(word(key), map.latLngToLayerPoint([lat, lon]), "quiet", 0);
}
map.on("zoomstart", () => clear(namesPane));
