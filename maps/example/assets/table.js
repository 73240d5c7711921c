// A table of communes is searched and sorted in place; without this script it is a plain table.
"use strict";

const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();

const valueOf = cell => {
  const number = cell.dataset.value;
  return number === undefined ? cell.textContent : number === "" ? NaN : Number(number);
};

// What is not known stands last, whichever way the table is sorted.
const compare = (a, b, way) => {
  if (typeof a === "string") return way * a.localeCompare(b, document.documentElement.lang);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return way * (a - b);
};

const sortBy = (table, head) => {
  const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map(row => [valueOf(row.cells[head.cellIndex]), row]);
  rows.sort((a, b) => compare(a[0], b[0], way));
  body.append(...rows.map(([, row]) => row));
};

const addHeads = table => {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = table.dataset.sortHint;
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
};

const addSearch = (table, place) => {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  label.append(table.dataset.search, input);
  label.className = "search";
  input.type = "search";
  input.placeholder = table.dataset.searchHint;
  const texts = [...table.tBodies[0].rows].map(row => [row, row.cells[0].textContent + " " + row.cells[1].textContent]);
  const show = () => {
    const wanted = plain(input.value.trim());
    let n = 0;
    for (const [row, text] of texts) {
      row.hidden = !plain(text).includes(wanted);
      n += !row.hidden;
    }
    count.textContent = table.dataset.matches.replace("{n}", n.toLocaleString(document.documentElement.lang));
  };
  input.addEventListener("input", show);
  show();
  label.append(count);
  place.before(label);
};

for (const table of document.querySelectorAll("table.sortable")) {
  addHeads(table);
  addSearch(table, table.closest(".scroll"));
}
