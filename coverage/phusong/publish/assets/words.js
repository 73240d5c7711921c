// The data of the page, and how it is said: words, numbers, elements that hold text and no markup.
const style = JSON.parse(byId("phusong-style").textContent);
const { maps, land } = await unpack(byId("phusong-data").textContent);
let lang = style.lang, words = style.words[lang];

const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const makeButton = (text, act, className) => {
  const button = make("button", text, className);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
};
const clear = (element) => { element.replaceChildren(); return element; };

// A key without a word (a service "6g") is shown as it is, in capitals; "constructor" is no word.
const word = (key) => (Object.hasOwn(words, key) ? words[key] : String(key).toUpperCase());
const fillIn = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
// What a register says in this language; in English where it does not speak it.
const ofLanguage = (entry, name) => entry[`${name}_${lang}`] ?? entry[name + "_en"];
const nextLanguage = () => {
  const codes = Object.keys(style.languages);
  return codes[(codes.indexOf(lang) + 1) % codes.length];
};
// Operators are names, not words: one that is called "area" is not translated.
const operatorName = (key) => (["any", "two_or_more"].includes(key) ? words[key] : key);

const formats = new Map();
function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  const key = lang + digits;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(style.languages[lang].locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  return formats.get(key).format(value);
}
// Shares are 0 to 1; only what is whole reads 100 %, only what is nothing reads 0 %.
const perHundred = (share) => number(share >= 1 || share <= 0 ? share * 100 : Math.min(Math.max(Math.round(share * 1000) / 10, 0.1), 99.9), 1);
const percent = (share) => (share === null || share === undefined ? words.unknown : perHundred(share) + "\u00a0%");
const range = (low, high) => (low === null || low === undefined ? words.no_interval : `${perHundred(low)} – ${percent(high)}`);
const points = (change) => (change === null ? words.unknown : (change > 0 ? "+" : change < 0 ? "−" : "") + number(Math.abs(change) * 100, 1));
const peopleText = (count) => (count === null ? words.unknown : `${number(count)} ${words.people}`);
const dayOf = (data) => new Date(data.as_of + "T00:00:00").toLocaleDateString(style.languages[lang].locale, { day: "2-digit", month: "2-digit", year: "numeric" });

function writeHeading(data) {
  const place = data.place ? " · " + data.place : "";
  document.documentElement.lang = lang;
  document.title = words.title + place;
  byId("title").textContent = words.title + place;
  byId("subtitle").textContent = `${words.as_of} ${dayOf(data)}` + (data.scenario ? ` · ${data.scenario[lang]}` : "");
  clear(byId("badges"));
  for (const label of ["synthetic", "schematic"]) if (data[label]) byId("badges").append(make("span", words[label]));
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  byId("search").placeholder = words.search;
  byId("search").setAttribute("aria-label", words.search_label);
  byId("hits").setAttribute("aria-label", words.search_label);
  byId("legend-box").setAttribute("aria-label", words.legend);
  byId("open-table").textContent = words.table;
  byId("switch-language").textContent = style.languages[nextLanguage()].name;
  byId("switch-language").lang = nextLanguage();
}

function writeTargets(data) {
  const section = clear(byId("targets"));
  section.append(make("h2", words.targets));
  for (const target of data.targets) {
    const line = make("p");
    line.append(
      make("span", word(target.status), "status " + target.status),
      ` · ${ofLanguage(target, "title")}: `,
      make("strong", percent(target.share)),
      ` [${range(target.share_low, target.share_high)}], ${words.due} ${target.due.slice(0, 4)}`,
    );
    section.append(line);
  }
}

function writeAbout(data) {
  const about = clear(byId("about"));
  if (data.sources.length) about.append(make("p", `${words.sources}: ${data.sources.join(" · ")}`));
  about.append(make("p", words.context_source));
  if (!data.notes.length) return;
  const notes = make("details"), list = make("ul");
  notes.append(make("summary", `${words.notes} (${number(data.notes.length)})`), list);
  for (const note of data["notes_" + lang] ?? data.notes) list.append(make("li", note));
  about.append(notes);
}
