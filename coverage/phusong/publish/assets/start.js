"use strict";
// Everything is put together here, once.
function addButtons() {
  const buttons = L.control({ position: "topleft" });
  buttons.onAdd = () => {
    const bar = make("div", null, "leaflet-bar");
    for (const [sign, title, act] of [["+", words.zoom_in_button, () => map.zoomIn(1)], ["−", words.zoom_out_button, () => map.zoomOut(1)], ["⌂", words.all_area, fit]]) {
      const button = make("button", sign);
      button.type = "button"; button.title = title; button.setAttribute("aria-label", title);
      button.addEventListener("click", act);
      bar.append(button);
    }
    L.DomEvent.disableClickPropagation(bar);
    return bar;
  };
  buttons.addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
}

function draw() {
  refill();
  const layer = current(), counts = new Map(), colours = coloursOf(layer);
  shapes.forEach((shape, i) => {
    const at = classOf(layer, i);
    counts.set(at, (counts.get(at) || 0) + 1);
    shape.setStyle({ fillColor: at < 0 ? hatch : colours[at] });
  });
  drawUncovered(layer);
  drawLegend(layer, counts);
  for (const [id, drawn] of [["show-gaps", outline], ["show-uncovered", uncovered], ["show-sites", siteLayer]]) {
    if (byId(id).checked) drawn.addTo(map); else drawn.remove();
  }
  for (const box of byId("technologies").querySelectorAll("input")) box.disabled = !byId("show-sites").checked;
  drawHint();
}

writeHeading();
writeTargets();
writeAbout();
writeGapList();
byId("commune").append(make("p", words.pick));
addButtons();
fillIndicators();
for (const control of byId("controls").querySelectorAll("select, fieldset > label input")) control.addEventListener("change", draw);
draw();
keepInView();
document.documentElement.dataset.ready = "yes";
