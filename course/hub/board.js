// Keeps a page of the board up to date. Only the sentences at the top are read aloud, and only when they change.
// Nothing is kept in the browser. Without JavaScript the page's own link reloads it.
(() => {
  const { token, seconds } = document.currentScript.dataset;
  const byId = (id) => document.getElementById(id);
  const pause = byId("pause");
  let going = true;

  const update = async () => {
    const answer = await fetch(location.href, { headers: { "X-Xsrftoken": token }, redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!going) return;
    const said = fresh.getElementById("said").textContent;
    if (byId("said").textContent !== said) byId("said").textContent = said;
    const live = fresh.getElementById("live");
    if (byId("live").innerHTML !== live.innerHTML) {
      const focused = byId("live").contains(document.activeElement) ? document.activeElement : null;
      byId("live").replaceChildren(...live.childNodes);
      // The keyboard stays where it was, or goes to the top of what changed.
      if (focused) (focused.id && byId(focused.id) ? byId(focused.id) : byId("live")).focus();
    }
    byId("updated").textContent = `Last brought up to date at ${new Date().toLocaleTimeString("en-GB")}.`;
  };

  const turn = async () => {
    try {
      if (going) await update();
    } catch {
      byId("updated").textContent = "It could not be brought up to date just now: reload it.";
    }
    setTimeout(turn, seconds * 1000);
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    going = !going;
    pause.textContent = going ? "Stop updates" : "Start updates";
  });
  setTimeout(turn, seconds * 1000);
})();
