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
