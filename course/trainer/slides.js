// Light or dark as the device asks, for the charts; and keys that go from slide to slide.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => (root.dataset.theme = dark.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  follow();

  const slides = [...document.querySelectorAll(".slide")];
  const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };

  // The slide whose top is nearest to the top of the window.
  function here() {
    const away = slides.map((slide) => Math.abs(slide.getBoundingClientRect().top));
    return away.indexOf(Math.min(...away));
  }

  function show(place) {
    const slide = slides[Math.max(0, Math.min(slides.length - 1, place))];
    slide.focus({ preventScroll: true });
    slide.scrollIntoView();
  }

  addEventListener("keydown", (event) => {
    const inBox = event.target.closest(".wide") && event.key.startsWith("Arrow"); // there, arrows scroll the box
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || inBox) return;
    if (event.key in STEPS) show(here() + STEPS[event.key]);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else return;
    event.preventDefault();
  });
})();
