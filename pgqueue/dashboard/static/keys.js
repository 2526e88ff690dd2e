// What is there for keyboards and fingers alone: keys, the theme, copying.
"use strict";
{
  const html = document.documentElement;
  const help = document.getElementById("help");
  const theme = document.getElementById("theme");
  const helpButton = document.getElementById("help-button");
  theme.hidden = helpButton.hidden = false;

  function turn() {
    const dark = (html.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    html.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("pgqueue-theme", html.dataset.theme); } catch { /* then for this page alone */ }
    document.dispatchEvent(new Event("pgqueue:theme"));
  }
  theme.addEventListener("click", turn);
  helpButton.addEventListener("click", () => help.showModal());

  function offerCopies() {
    for (const each of document.querySelectorAll("button.copy")) each.hidden = !navigator.clipboard;
  }
  document.addEventListener("pgqueue:fresh", offerCopies);
  offerCopies();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    document.getElementById("said").textContent = "Copied";
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
  });

  // Rows of the first table, or lines of the first list, that lead somewhere.
  function rows() {
    return [...document.querySelectorAll("main tbody tr, main .lines > li")].filter((row) => row.querySelector("a[href]"));
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.querySelector("a[href]").focus();
    next.scrollIntoView({ block: "nearest" });
  }

  // What was said of an act is told to those who listen, and leaves the address: it is said once.
  const notice = document.getElementById("notice");
  const here = new URL(location.href);
  if (here.searchParams.has("_said")) {
    here.searchParams.delete("_said");
    history.replaceState(null, "", here);
    if (notice) setTimeout(() => { document.getElementById("said").textContent = notice.textContent; }, 300);
  }
  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { for (const each of document.forms) delete each.dataset.sent; });

  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const typing = event.target.matches('input:not([type="checkbox"]), select, textarea, [contenteditable]');
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = [...document.querySelectorAll("nav [data-key]")].find((each) => each.dataset.key === event.key);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const act = {
      g: () => { going = Date.now(); },
      "/": () => document.querySelector(".search input").focus(),
      j: () => step(1),
      k: () => step(-1),
      x: () => document.dispatchEvent(new Event("pgqueue:choose")),
      t: turn,
      u: () => document.dispatchEvent(new Event("pgqueue:utc")),
      r: () => document.getElementById("pause")?.click(),
      "?": () => help.showModal(),
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
}
