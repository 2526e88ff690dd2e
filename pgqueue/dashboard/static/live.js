// Keeps a page fresh: the server says which regions have changed, and they are fetched and morphed into place.
"use strict";
{
  const box = document.getElementById("live"), said = document.getElementById("live-said");
  const pause = document.getElementById("pause"), every = document.getElementById("every");
  const of = document.getElementById("data-of");
  const opened = new Map();
  let source = null, timer = null, paused = false, at = Date.now(), waiting = new Set(), fetching = false;

  const all = () => [...document.querySelectorAll("[data-region]")];
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* until the next page */ } };

  if (all().length) {
    box.hidden = of.hidden = false;
    if (kept("pgqueue-every")) every.value = kept("pgqueue-every");
    if (!every.value) every.selectedIndex = 1;
    paused = kept("pgqueue-paused") === "yes";
    start();
  }

  function start() {
    stop();
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) return say("paused", "off");
    if (document.hidden) return;
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("_every", every.value);
    address.searchParams.set("_known", all().map((each) => `${each.dataset.region}.${each.dataset.hash}`).join(","));
    source = new EventSource(address);
    source.addEventListener("changed", (event) => fetchRegions(event.data.split(",")));
    source.addEventListener("beat", (event) => {
      const told = JSON.parse(event.data);
      beat(told.slow ? "slow" : "live", told.slow ? "late" : "on");
    });
    source.addEventListener("trouble", (event) => say(JSON.parse(event.data), "late"));
    source.onerror = () => {
      // Closed for good means that this server has no streams: then the page asks by itself.
      if (source && source.readyState === EventSource.CLOSED) poll();
      else say("reconnecting …", "late");
    };
  }

  function poll() {
    stop();
    const ask = () => { if (!document.hidden) fetchRegions(all().map((each) => each.dataset.region), true); };
    timer = setInterval(ask, Number(every.value) * 1000);
  }

  function stop() {
    if (source) source.close();
    if (timer) clearInterval(timer);
    source = timer = null;
  }

  async function fetchRegions(names, beats = false) {
    names.forEach((name) => waiting.add(name));
    // Whoever reads or marks something is not disturbed.
    if (fetching || getSelection().type === "Range") return;
    fetching = true;
    try {
      while (waiting.size) {
        const wanted = [...waiting];
        waiting.clear();
        const answer = await fetch(location.href, { headers: { "x-regions": wanted.join(",") }, cache: "no-store" });
        if (!answer.ok) { say(answer.status === 401 ? "logged out" : "no answer", "late"); break; }
        swap(await answer.text());
        if (beats) beat("live", "on");
      }
    } catch {
      say("reconnecting …", "late");
    } finally {
      fetching = false;
    }
  }

  function swap(text) {
    const parsed = new DOMParser().parseFromString(text, "text/html");
    for (const fresh of parsed.querySelectorAll("[data-region]")) {
      const here = document.getElementById(fresh.id);
      if (!here || here.dataset.hash === fresh.dataset.hash) continue;
      htmx.swap({ text: fresh.outerHTML, target: here, swap: "outerMorph", sourceElement: here });
    }
    document.dispatchEvent(new Event("pgqueue:fresh"));
    for (const [id, open] of opened) {
      const each = document.getElementById(id);
      if (each && each.open !== open) each.open = open;
    }
  }

  function beat(words, how) {
    at = Date.now();
    say(words, how);
  }

  function say(words, how) {
    if (said.textContent !== words) said.textContent = words;
    box.dataset.how = how;
    const time = new Date(at).toTimeString().slice(0, 8);
    of.textContent = ` · data of ${time}`;
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.id && event.isTrusted) opened.set(event.target.id, event.target.open);
  }, true);
  document.addEventListener("selectionchange", () => {
    if (waiting.size && getSelection().type !== "Range") fetchRegions([]);
  });
  document.addEventListener("visibilitychange", () => { document.hidden ? stop() : start(); });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) start(); });
  pause.addEventListener("click", () => {
    paused = !paused;
    keep("pgqueue-paused", paused ? "yes" : "no");
    start();
  });
  every.addEventListener("change", () => { keep("pgqueue-every", every.value); start(); });
  setInterval(() => {
    if (!paused && !document.hidden && Date.now() - at > 3000 * Math.max(Number(every.value), 2)) box.dataset.how = "late";
  }, 1000);
}
