// The decision guide, one question at a time, and a page to print. It reads the questions and answers that stand
// on the page. Nothing is sent, and nothing is kept: reload the page, and the answers are gone.
(() => {
  const box = document.getElementById("guide-ask");
  if (!box) return;
  const trail = []; // one entry for each answer given: question, answer, where it leads, gap
  const make = (tag, given = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...inside);
    return made;
  };
  const button = (text, press, name = "guide-button") => {
    const made = make("button", { type: "button", className: name, textContent: text });
    made.addEventListener("click", press);
    return made;
  };
  const current = () => trail.at(-1)?.go ?? box.dataset.start;
  const goBackTo = (step) => {
    trail.splice(step);
    show();
  };

  function question(section) {
    const heading = make("h3", { tabIndex: -1, textContent: section.querySelector("h3").textContent });
    const step = make("p", { className: "guide-step", textContent: `Question ${trail.length + 1}` });
    const help = make("p", { textContent: section.querySelector(".guide-help").textContent });
    const choices = [...section.querySelectorAll("li")].map((item) => {
      const say = item.querySelector(".guide-say").textContent;
      const choose = () => {
        trail.push({ question: heading.textContent, say, go: item.dataset.go, gap: item.dataset.gap });
        show();
      };
      return make("li", {}, button(say, choose, "guide-choice"));
    });
    const made = make("div", {}, step, heading, help, make("ul", { className: "guide-choices" }, ...choices));
    if (trail.length) made.append(button("Back", () => goBackTo(trail.length - 1), "guide-button guide-second"));
    return [made, heading];
  }

  function record(section) {
    const heading = make("h3", { tabIndex: -1, textContent: "Your record" });
    const date = make("time", { dateTime: new Date().toLocaleDateString("sv"), textContent: new Date().toLocaleDateString("en-GB", { dateStyle: "long" }) });
    const about = make("input", { id: "guide-about", type: "text", autocomplete: "off" });
    const hint = make("span", { className: "guide-hint", textContent: " (if you like; for the printed page only)" });
    const label = make("label", { htmlFor: about.id }, "What this is about", hint);
    const rows = trail.map((given, step) => {
      const change = button("Change", () => goBackTo(step), "guide-change");
      change.setAttribute("aria-label", `Change the answer to: ${given.question}`);
      return make("li", {}, make("span", { textContent: `${given.question} ` }), make("strong", { textContent: given.say }), " ", change);
    });
    const answer = section.cloneNode(true);
    answer.removeAttribute("id");
    answer.querySelectorAll("h3, h4").forEach((old) => old.replaceWith(make(old.tagName === "H3" ? "h4" : "h5", { textContent: old.textContent })));
    answer.querySelector(".guide-gaps").prepend(...trail.filter((given) => given.gap).map((given) => make("li", { textContent: given.gap })));
    const buttons = make("p", { className: "guide-buttons" }, button("Print this record", () => print()),
      button("Back", () => goBackTo(trail.length - 1), "guide-button guide-second"),
      button("Start again", () => goBackTo(0), "guide-button guide-second"));
    const foot = make("p", { className: "guide-foot", textContent: "Synthetic Data in Practice, decision guide. This is the course's advice. It is not legal advice." });
    const page = make("div", { className: "guide-record" }, heading, make("p", {}, "Date: ", date),
      make("p", { className: "guide-about" }, label, about), make("h4", { textContent: "Your answers" }), make("ol", { className: "guide-trail" }, ...rows), answer, foot);
    return [make("div", {}, page, buttons), heading];
  }

  function show(focus = true) {
    const section = document.getElementById(current());
    const answered = section.classList.contains("guide-answer");
    const [made, heading] = answered ? record(section) : question(section);
    document.documentElement.toggleAttribute("data-guide-answered", answered); // then only the record is printed
    box.replaceChildren(made);
    if (focus) heading.focus();
  }
  show(false);
})();
