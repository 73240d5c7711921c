// Search by name, with or without accents; names that have the accents asked for come first.
const MOST_HITS = 12;
const exact = (text) => text.toLowerCase().normalize("NFC");
const bare = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
const searched = new Map();   // by map: its names in both forms
function searchedOf(communes) {
  if (!searched.has(communes)) searched.set(communes, communes.name.map((text) => ({ exact: exact(text), bare: bare(text) })));
  return searched.get(communes);
}
const asking = byId("search"), hits = byId("hits");
let marked = -1;

function findHits(text) {
  const asked = exact(text.trim()), plain = bare(text.trim());
  if (!asked) return [];
  const found = [];
  searchedOf(side.communes).forEach((known, i) => {
    const at = known.bare.indexOf(plain);
    if (at < 0 && side.communes.code[i] !== asked) return;
    const isWord = at === 0 || known.bare[at - 1] === " ";
    found.push([known.exact.includes(asked) ? 0 : 1, isWord ? 0 : 1, known.bare.length, i]);
  });
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
  return found.map((rank) => rank[3]);
}
function showHits() {
  const found = findHits(asking.value);
  clear(hits);
  found.slice(0, MOST_HITS).forEach((i, at) => {
    const item = make("li", `${side.communes.name[i]} (${side.communes.code[i]})`);
    item.setAttribute("role", "option");
    item.id = "hit-" + at;
    item.dataset.at = i;
    item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(i); });
    hits.append(item);
  });
  if (asking.value.trim() && !found.length) hits.append(make("li", words.no_hit, "none"));
  mark(found.length ? 0 : -1);
  openHits(hits.children.length > 0);
}
function openHits(isOpen) {
  hits.hidden = !isOpen;
  asking.setAttribute("aria-expanded", String(isOpen));
}
function mark(at) {
  marked = at;
  [...hits.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
  if (at < 0) { asking.removeAttribute("aria-activedescendant"); return; }
  asking.setAttribute("aria-activedescendant", "hit-" + at);
  hits.children[at].scrollIntoView({ block: "nearest" });
}
function choose(i) {
  openHits(false);
  asking.value = side.communes.name[i];
  if (isNarrow.matches) asking.blur();   // the keyboard of a phone would cover the figures
  select(i, true);
}
asking.addEventListener("input", showHits);
asking.addEventListener("blur", () => openHits(false));
asking.addEventListener("keydown", (event) => {
  const count = hits.querySelectorAll("[role=option]").length;
  if (event.key === "Escape") openHits(false);
  if (!count || hits.hidden) return;
  if (event.key === "ArrowDown") { mark((marked + 1) % count); event.preventDefault(); }
  if (event.key === "ArrowUp") { mark((marked + count - 1) % count); event.preventDefault(); }
  if (event.key === "Enter") choose(Number(hits.children[marked].dataset.at));
});
