// A form that stands alone: it checks that everything is answered, and saves the answers as a CSV file.
// It asks nobody for anything and sends nothing. Nothing stays in the browser when the page is closed.
(() => {
  const form = document.querySelector("form");
  const errors = document.getElementById("errors");
  const saved = document.getElementById("saved");
  const columns = JSON.parse(document.getElementById("columns").textContent);
  const random = [...crypto.getRandomValues(new Uint8Array(5))].map((one) => one.toString(16).padStart(2, "0")).join("");
  let changed = false;

  // A cell that begins like a formula gets an apostrophe, so that no spreadsheet runs it.
  const cell = (text) => `"${String(text).replace(/^(?=[=+\-@\t\r])/, "'").replaceAll('"', '""')}"`;

  const shown = (selector) => [...form.querySelectorAll(selector)].filter((one) => !one.closest("[hidden]"));
  const text = (control) => (control ? control.value.trim().replace(/\s+/g, " ") : "");
  const fact = (name) => {
    if (name === "random") return random;
    return form.elements[name] ? text(form.elements[name]) : form.dataset[name];
  };

  const value = (source, box) => {
    if (source === "item") return box.dataset.item;
    if (source === "reason") return text(box.querySelector("textarea"));
    if (source !== "answer") return fact(source);
    const chosen = [...box.querySelectorAll("input:checked")];
    return box.matches("fieldset") ? chosen.map((one) => one.value).join("; ") : text(box.querySelector("textarea"));
  };

  const wrong = () => shown("[data-problem]").filter((one) => {
    if (one.matches("fieldset")) return !one.querySelector("input:checked");
    return !new RegExp(`^(?:${one.dataset.pattern || "[^]+"})$`).test(one.value.trim());
  }).map((one) => [one.matches("fieldset") ? one.querySelector("input") : one, one.dataset.problem]);

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
    const heads = columns.map(([head]) => head);
    const rows = shown("[data-item]").map((box) => columns.map(([, source]) => value(source, box)));
    const lines = [heads, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", lines], { type: "text/csv" }));
    link.download = `${form.dataset.file.replace(/\{(\w+)\}/g, (_, name) => fact(name))}.csv`;
    link.click();
    changed = false;
    saved.hidden = false;
    saved.querySelector("textarea").value = lines;
    saved.querySelector("strong").textContent = link.download;
    saved.focus();
  });

  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
})();
