// The form of a consensus survey: it checks that everything is answered, and saves the answers as a CSV file.
// It asks nobody for anything and sends nothing. Nothing stays in the browser when the page is closed.
(() => {
  const form = document.querySelector("form");
  const errors = document.getElementById("errors");
  const saved = document.getElementById("saved");
  const columns = JSON.parse(document.getElementById("columns").textContent);
  let changed = false;

  // A cell that begins like a formula gets an apostrophe, so that no spreadsheet runs it.
  const cell = (text) => `"${String(text).replace(/^(?=[=+\-@\t\r])/, "'").replaceAll('"', '""')}"`;

  const wrong = () => {
    const found = [];
    const code = form.elements.participant;
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(code.value.trim())) {
      found.push([code, "Enter your code: letters, figures and hyphens, with no spaces"]);
    }
    if (!form.elements.group.value) found.push([form.elements.group, "Choose your group"]);
    for (const box of form.querySelectorAll("fieldset[data-statement]")) {
      if (!box.querySelector("input:checked")) {
        found.push([box.querySelector("input"), `Choose a score for ${box.dataset.statement}, or "I cannot say"`]);
      }
    }
    return found;
  };

  const rows = () => [...form.querySelectorAll("fieldset[data-statement]")].map((box) => [
    form.elements.participant.value.trim(),
    form.elements.group.value,
    form.dataset.round,
    box.dataset.statement,
    box.querySelector("input:checked").value,
    box.querySelector("textarea").value.trim().replace(/\s+/g, " "),
    form.dataset.rule,
  ]);

  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = wrong();
    errors.hidden = found.length === 0;
    saved.hidden = true;
    form.querySelectorAll("[aria-invalid]").forEach((control) => control.removeAttribute("aria-invalid"));
    if (found.length) {
      errors.querySelector("ul").replaceChildren(...found.map(([control, words]) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        Object.assign(link, { href: `#${control.id}`, textContent: words });
        link.addEventListener("click", (press) => {
          press.preventDefault();
          control.focus();
        });
        if (control.type !== "radio") control.setAttribute("aria-invalid", "true");
        item.append(link);
        return item;
      }));
      errors.focus();
      return;
    }
    const text = [columns, ...rows()].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    link.download = `round-${form.dataset.round}-${form.elements.participant.value.trim()}.csv`;
    link.click();
    changed = false;
    saved.hidden = false;
    saved.querySelector("textarea").value = text;
    saved.querySelector("strong").textContent = link.download;
    saved.focus();
  });

  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
})();
