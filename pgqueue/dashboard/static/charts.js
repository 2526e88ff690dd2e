// Draws the charts anew over the server's lines: with axes, and with what stands under the pointer.
"use strict";
{
  const drawn = new WeakMap();
  // light-dark() is a colour only where it is used.
  const probe = document.createElement("i");
  function colour(name) {
    probe.className = `line-${name}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).stroke;
    probe.remove();
    return found;
  }

  function count(value) {
    if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)} M`;
    return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(2));
  }
  function seconds(value) {
    if (value < 1) return `${Math.round(value * 1000)} ms`;
    if (value < 120) return `${+value.toPrecision(2)} s`;
    if (value < 7200) return `${Math.round(value / 60)} min`;
    return value < 172800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86400)} d`;
  }

  function clock(at, step) {
    const moment = new Date(at * 1000);
    return step >= 86400 || (moment.getHours() + moment.getMinutes() === 0)
      ? moment.toLocaleDateString([], { day: "numeric", month: "short" })
      : moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }

  function options(told, width, height) {
    const say = told.unit === "seconds" ? seconds : count;
    const axis = { stroke: colour("axis"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    return {
      width, height,
      padding: [8, 16, 0, 0],
      legend: { live: true },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: { y: { range: (_chart, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, space: 60, size: 26, values: (_chart, ticks, _at, _space, step) => ticks.map((at) => clock(at, step)) }, { ...axis, size: 56, values: (_chart, ticks) => ticks.map(say) }],
      series: [
        { value: (_chart, at) => at == null ? "–" : new Date(at * 1000).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) },
        ...told.lines.map((line) => ({
          label: line.name, stroke: colour(line.colour), width: 1.75, points: { show: false },
          value: (_chart, value) => value == null ? "–" : say(value),
        })),
      ],
    };
  }

  function draw(figure, anew) {
    const place = figure.querySelector(".plot");
    const before = drawn.get(place);
    if (before && before.text === figure.dataset.chart && place.contains(before.chart.root) && !anew) return;
    if (before) before.chart.destroy();
    const told = JSON.parse(figure.dataset.chart);
    place.classList.add("drawn");
    const height = 150;
    const chart = new uPlot(options(told, place.clientWidth, height), [told.x, ...told.lines.map((line) => line.values)], place);
    chart.root.setAttribute("aria-hidden", "true");
    drawn.set(place, { chart, text: figure.dataset.chart });
  }

  const all = (anew) => document.querySelectorAll("figure[data-chart]").forEach((figure) => draw(figure, anew));
  document.addEventListener("pgqueue:fresh", () => all(false));
  document.addEventListener("pgqueue:theme", () => all(true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all(true));
  let resizing;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(() => all(true), 150); });
  all(false);
}
