"use strict";
// The data of the page, and how it is said: words, numbers, elements that hold text and no markup.
const data = JSON.parse(document.getElementById("phusong-data").textContent);
const words = data.words;
const communes = data.communes;
const locale = data.lang === "vi" ? "vi-VN" : "en-GB";

const byId = (id) => document.getElementById(id);
const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const clear = (element) => { element.replaceChildren(); return element; };

// A key without a word (a service "6g") is shown as it is, in capitals; "constructor" is no word.
const word = (key) => (Object.hasOwn(words, key) ? words[key] : String(key).toUpperCase());
const fillIn = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
// Operators are names, not words: one that is called "area" is not translated.
const operatorName = (key) => (["any", "two_or_more"].includes(key) ? words[key] : key);

const number = (value, digits = 0) => value === null || value === undefined ? "–"
  : new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
// Shares come as 1/10000; only what is whole reads 100 %, only what is nothing reads 0 %.
const perHundred = (parts) => number(parts === 10000 || parts === 0 ? parts / 100 : Math.min(Math.max(Math.round(parts / 10) / 10, 0.1), 99.9), 1);
const percent = (parts) => (parts === null || parts === undefined ? words.unknown : perHundred(parts) + "\u00a0%");
const range = (low, high) => (low === null || low === undefined ? words.no_interval : `${perHundred(low)} – ${percent(high)}`);
const toParts = (share) => share === null ? null : share >= 1 ? 10000 : share <= 0 ? 0 : Math.min(9999, Math.max(1, Math.round(share * 10000)));
const day = new Date(data.as_of + "T00:00:00").toLocaleDateString(locale, { day: "2-digit", month: "2-digit", year: "numeric" });

function writeHeading() {
  const place = data.place ? " · " + data.place : "";
  document.title = words.title + place;
  byId("title").textContent = words.title + place;
  byId("subtitle").textContent = `${words.as_of} ${day}`;
  for (const label of ["synthetic", "schematic"]) if (data[label]) byId("badges").append(make("span", words[label]));
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  byId("search").placeholder = words.search;
  byId("search").setAttribute("aria-label", words.search_label);
}

function writeTargets() {
  const section = byId("targets");
  section.append(make("h2", words.targets));
  for (const target of data.targets) {
    const first = target.readings[0], line = make("p");
    const bounds = range(toParts(first.share_low), toParts(first.share_high));
    line.append(
      make("span", word(target.status), "status " + target.status),
      ` · ${data.lang === "vi" ? target.title_vi : target.title_en}: `,
      make("strong", percent(toParts(first.share))),
      ` [${bounds}], ${words.due} ${target.due.slice(0, 4)}`,
    );
    section.append(line);
  }
}

function writeAbout() {
  const about = byId("about");
  if (data.sources.length) about.append(make("p", `${words.sources}: ${data.sources.join(" · ")}`));
  if (!data.notes.length) return;
  const notes = make("details"), list = make("ul");
  notes.append(make("summary", `${words.notes} (${number(data.notes.length)})`), list);
  for (const note of data.notes) list.append(make("li", note));
  about.append(notes);
}
