// The quiz: first the code, then one of the two forms. Which one follows from the code and from before or after.
// `forms.js` has checked the code when it hands a press of the button on; from then on it does the saving.
(() => {
  const form = document.querySelector("form");
  const button = form.querySelector("button");
  const parts = [...form.querySelectorAll("section[data-form]")];
  const save = button.textContent;
  let started = false;

  parts.forEach((part) => (part.hidden = true));
  button.textContent = "Start";

  const isCode = (control) => new RegExp(`^(?:${control.dataset.pattern})$`).test(control.value.trim());

  // The same sum as in quiz.py: people with an even one have form A before, the others after.
  const letter = (code) => {
    const sum = [...code.trim().toLowerCase()].reduce((total, one) => total + one.codePointAt(0), 0);
    return (sum + (form.dataset.when === "after" ? 1 : 0)) % 2 ? "B" : "A";
  };

  document.addEventListener("submit", (event) => {
    const code = form.elements.code;
    if (started || !isCode(code)) return;
    event.preventDefault();
    event.stopPropagation();
    started = true;
    document.getElementById("errors").hidden = true;
    code.removeAttribute("aria-invalid");
    code.readOnly = true;
    button.textContent = save;
    const part = parts.find((one) => one.dataset.form === letter(code.value));
    form.dataset.form = part.dataset.form;
    part.hidden = false;
    part.querySelector("h2").focus();
  }, true);
})();
