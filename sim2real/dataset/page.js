const body = document.querySelector(".clips tbody");
const heads = [...document.querySelectorAll(".clips th")];
const rows = [...body.rows];
const valueOf = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const text = cell.textContent.trim();
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text.toLowerCase();
};
const compare = (a, b) => {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1;
};
const sortBy = (column) => {
  const up = heads[column].getAttribute("aria-sort") !== "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
  const keyed = rows.map((row) => [valueOf(row, column), row]);
  keyed.sort(([a, x], [b, y]) => {
    if (a === "" || b === "") return compare(a, b) || x.dataset.n - y.dataset.n;
    return (up ? compare(a, b) : compare(b, a)) || x.dataset.n - y.dataset.n;
  });
  body.append(...keyed.map(([, row]) => row));
};
heads.forEach((head, column) => {
  if (!head.hasAttribute("tabindex")) return;
  head.onclick = () => sortBy(column);
  head.onkeydown = (event) => { if (event.key === "Enter") sortBy(column); };
});
const find = document.querySelector(".find input");
const found = document.querySelector(".find output");
const texts = rows.map((row) => row.textContent.toLowerCase());
const filter = () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, k) => {
    row.hidden = !words.every((word) => texts[k].includes(word));
    shown += !row.hidden;
  });
  found.value = words.length ? `${shown} of ${rows.length}` : `${rows.length} clips`;
};
find.oninput = filter;
filter();
