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

  // Paper cannot be clicked: print with everything open, then close what was closed.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("article details:not([open])")];
    opened.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
})();
