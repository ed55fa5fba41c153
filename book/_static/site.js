// Small repairs to the theme, on every page. Nothing here asks another host for anything.
(() => {
  // Opened as a file, a page may not fetch other pages: search then lists titles without extracts.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // The theme takes the focus away from a pressed button; put it back, so that a keyboard user is not lost.
  document.querySelectorAll(".site-button").forEach((button) => {
    button.addEventListener("click", () => button.focus());
  });

  // Dialogs need names.
  const names = {
    "pst-search-dialog": "Search",
    "pst-primary-sidebar-modal": "Pages",
    "pst-secondary-sidebar-modal": "On this page",
  };
  for (const [id, name] of Object.entries(names)) {
    document.getElementById(id)?.setAttribute("aria-label", name);
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

  // Paper cannot be clicked: print with everything open, then close what was closed.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("article details:not([open])")];
    opened.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
})();
