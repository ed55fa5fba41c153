// "Could it be me?": one picture at a time, chosen with a list and a slider. Every picture stands on the page
// already; without this script they are all shown. Nothing is sent or kept.
(() => {
  const box = document.getElementById("me-try");
  const all = document.getElementById("me-all");
  if (!box || !all) return;
  const views = [...all.querySelectorAll(".me-view")];
  const names = new Map(views.map((view) => [view.dataset.level, view.dataset.name]));
  const groups = new Map(views.map((view) => [view.dataset.group, view.dataset.heading]));
  const label = (text, control) => {
    const made = document.createElement("label");
    made.append(text, control);
    return made;
  };

  const who = document.createElement("select");
  who.append(...[...groups].map(([value, text]) => new Option(text, value)));
  const level = Object.assign(document.createElement("input"), { type: "range", min: 1, max: names.size, step: 1, value: 1 });
  const ends = Object.assign(document.createElement("p"), { className: "me-ends" });
  ends.append(...["Less like real life", "More like real life"].map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  const picture = document.createElement("div");
  const said = Object.assign(document.createElement("p"), { className: "sr-only" });
  said.setAttribute("role", "status");

  function show() {
    const view = views.find((one) => one.dataset.level === level.value && one.dataset.group === who.value);
    level.setAttribute("aria-valuetext", `${level.value}. ${names.get(level.value)}`);
    picture.replaceChildren(view.cloneNode(true));
    return view;
  }
  for (const control of [who, level]) {
    control.addEventListener("input", () => {
      said.textContent = show().querySelector(".me-finding").textContent;
    });
  }
  box.append(label("Who are you?", who), label("How much like real life should the made-up rows be?", level), ends, picture, all.querySelector(".me-key"), said);
  all.remove();
  show();
})();
