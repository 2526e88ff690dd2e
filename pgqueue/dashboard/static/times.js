// Times by the clock of whoever looks, and how long ago; as the server wrote them where this does not run.
"use strict";
{
  const html = document.documentElement;
  let utc = kept("pgqueue-utc") === "yes";
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];

  function kept(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  }

  function lasting(seconds) {
    seconds = Math.max(0, seconds);
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    if (seconds < 59.5) return `${Math.round(seconds)} s`;
    for (const [at, [unit, name]] of units.entries()) {
      if (seconds < unit) continue;
      const whole = Math.floor(seconds / unit);
      const [below, belowName] = units[at + 1] ?? [1, "s"];
      const rest = Math.floor((seconds % unit) / below);
      return rest && whole < 10 ? `${whole} ${name} ${rest} ${belowName}` : `${whole} ${name}`;
    }
    return `${Math.round(seconds)} s`;
  }

  function ago(seconds) {
    const past = seconds >= 0, whole = Math.abs(seconds);
    if (whole < 1.5) return "now";
    const unit = whole < 59.5 ? `${Math.round(whole)} s` : coarse(whole);
    return past ? `${unit} ago` : `in ${unit}`;
  }

  // One unit: a page on which every number moves is read by nobody.
  function coarse(seconds) {
    const [unit, name] = units.find(([unit]) => seconds >= unit * 1.5 || unit === 60);
    return `${Math.max(1, Math.round(seconds / unit)).toLocaleString("en")} ${name}`;
  }

  const two = (number) => String(number).padStart(2, "0");

  function clock(moment) {
    const get = (name) => moment[`get${utc ? "UTC" : ""}${name}`]();
    const day = `${get("FullYear")}-${two(get("Month") + 1)}-${two(get("Date"))}`;
    return [day, `${two(get("Hours"))}:${two(get("Minutes"))}:${two(get("Seconds"))}`];
  }

  function set(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function show() {
    if (html.dataset.zone !== "browser" && !utc) return relative();
    const today = clock(new Date())[0];
    for (const each of document.querySelectorAll("time[datetime]")) {
      const moment = new Date(each.dateTime);
      if (isNaN(moment)) continue;
      const [day, time] = clock(moment);
      const whole = `${day} ${time}`;
      const title = utc ? `${whole} UTC` : `${whole}, ${moment.toISOString().replace("T", " ").replace("Z", "")} UTC`;
      if (each.title !== title) each.title = title;
      if (!("ago" in each.dataset)) set(each, day === today ? time : whole);
    }
    relative();
  }

  function relative() {
    const now = Date.now();
    for (const each of document.querySelectorAll("time[data-ago]")) {
      const moment = Date.parse(each.dateTime);
      if (!isNaN(moment)) set(each, ago((now - moment) / 1000));
    }
    for (const each of document.querySelectorAll("[data-since]")) {
      const moment = Date.parse(each.dataset.since);
      if (!isNaN(moment)) set(each, lasting((now - moment) / 1000));
    }
  }

  document.addEventListener("pgqueue:utc", () => {
    utc = !utc;
    try { localStorage.setItem("pgqueue-utc", utc ? "yes" : "no"); } catch { /* then until the next page */ }
    document.getElementById("said").textContent = utc ? "Times are UTC" : "Times are local";
    show();
  });
  document.addEventListener("pgqueue:fresh", show);
  setInterval(() => { if (!document.hidden && getSelection().type !== "Range") relative(); }, 1000);
  show();
}
