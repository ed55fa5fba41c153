// Small repairs to the theme, on every page. Nothing here asks another host for anything.
(() => {
  // Opened as a file, a page may not fetch other pages: search then lists titles without extracts.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // The theme takes the focus away from a pressed button; put it back, so that a keyboard user is not lost.
  document.querySelectorAll(".site-button").forEach((button) => {
    button.addEventListener("click", () => button.focus());
  });

  // Dialogs need names, and a way out that can be touched. (The theme moves what is in a sidebar into its dialog.)
  const names = {
    "pst-search-dialog": "Search",
    "pst-primary-sidebar-modal": "Pages",
    "pst-secondary-sidebar-modal": "On this page",
  };
  for (const [id, name] of Object.entries(names)) {
    const dialog = document.getElementById(id);
    if (!dialog) continue;
    dialog.setAttribute("aria-label", name);
    const close = document.createElement("button");
    Object.assign(close, { type: "button", className: "close-dialog", textContent: "Close" });
    close.addEventListener("click", () => close.closest("dialog").close());
    (document.getElementById(id.replace("-modal", "")) ?? dialog).append(close);
  }

  // A wide table inside something that opens gets a box of its own to scroll in.
  for (const table of document.querySelectorAll("article details > table")) {
    const box = document.createElement("div");
    box.className = "pst-scrollable-table-container"; // the theme lets the keyboard into such boxes...
    table.replaceWith(box);
    box.append(table);
  }
  document.addEventListener("toggle", () => dispatchEvent(new Event("resize")), true); // ...once it looks again

  // pandas sets every cell to the right; words read better from the left.
  for (const table of document.querySelectorAll("table.dataframe")) {
    const rows = [...table.rows];
    const body = rows.filter((row) => row.closest("tbody"));
    for (let i = 0; i < (rows[0]?.cells.length ?? 0); i += 1) {
      const isWord = (row) => row.cells[i]?.tagName === "TD" && !/^(|–|NaN|None|NaT|<NA>|[-+−]?[£$]?[\d.,]+(e[-+]?\d+)?%?)$/.test(row.cells[i].textContent.trim());
      if (body.some(isWord)) rows.forEach((row) => row.cells[i]?.classList.add("words"));
    }
  }

  // A table marked sortable: each head becomes a button. A second press turns the order round; dashes stay last.
  for (const table of document.querySelectorAll("table.sortable")) {
    const said = document.createElement("p");
    Object.assign(said, { className: "sr-only", role: "status" });
    table.closest(".wide-table").after(said);
    const heads = [...table.tHead.rows[0].cells];
    const valueOf = (row, place) => {
      const cell = row.cells[place];
      if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
      return cell.textContent.trim() === "–" ? null : cell.textContent.trim();
    };
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "sort", textContent: head.textContent });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, place), row]);
        const kind = (value) => (value === null ? 2 : typeof value === "string" ? 1 : 0); // numbers, words, dashes
        const order = (a, b) => (kind(a) === 0 ? a - b : kind(a) === 1 ? a.localeCompare(b) : 0);
        rows.sort(([a], [b]) => kind(a) - kind(b) || (down ? -1 : 1) * order(a, b));
        table.tBodies[0].append(...rows.map(([, row]) => row));
        said.textContent = `Sorted by ${button.textContent}, ${down ? "from high to low" : "from low to high"}.`;
      });
    });
  }

  // Tables by data set: a list to choose which are shown. Without scripts all of them are.
  const sets = [...document.querySelectorAll(".by-data-set")];
  if (sets.length) {
    const label = document.createElement("label");
    const list = document.createElement("select");
    label.className = "choose-data-set";
    label.append("Data set ", list);
    list.append(...["all", ...sets.map((set) => set.dataset.name)].map((name) => new Option(name, name)));
    list.addEventListener("change", () => {
      sets.forEach((set) => (set.hidden = list.value !== "all" && set.dataset.name !== list.value));
    });
    sets[0].before(label);
  }

  // Paper cannot be clicked, and is white: print with everything open, in light colours; then put all back.
  const root = document.documentElement;
  let before = { opened: [], theme: root.dataset.theme };
  addEventListener("beforeprint", () => {
    before = { opened: [...document.querySelectorAll("article details:not([open])")], theme: root.dataset.theme };
    before.opened.forEach((details) => (details.open = true));
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    before.opened.forEach((details) => (details.open = false));
    root.dataset.theme = before.theme;
  });
})();
