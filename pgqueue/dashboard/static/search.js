// Words are offered that go on from what was typed; jobs are chosen by keys, and stay so while the page changes.
"use strict";
{
  const box = document.getElementById("query"), list = document.getElementById("words");
  const chosen = new Set();
  const boxes = () => [...document.querySelectorAll('input[name^="j."]')];
  const all = () => document.getElementById("pick-all");

  box.addEventListener("input", () => {
    const before = box.value.slice(0, box.value.lastIndexOf(" ") + 1);
    for (const each of list.options) each.value = before + each.dataset.word;
  });

  function note(each) {
    if (each.checked) chosen.add(each.name);
    else chosen.delete(each.name);
  }

  function restore() {
    for (const each of boxes()) each.checked = chosen.has(each.name);
    if (all()) all().closest("label").hidden = false;
    tell();
  }

  function tell() {
    const those = boxes(), ticked = those.filter((each) => each.checked).length;
    if (all()) { all().checked = ticked > 0 && ticked === those.length; all().indeterminate = ticked > 0 && ticked < those.length; }
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") for (const each of boxes()) { each.checked = event.target.checked; note(each); }
    if (event.target.name?.startsWith("j.")) note(event.target);
    tell();
  });
  document.addEventListener("pgqueue:choose", () => {
    const each = document.activeElement.closest("tr")?.querySelector('input[name^="j."]');
    if (!each) return;
    each.checked = !each.checked;
    note(each);
    tell();
    document.getElementById("said").textContent = `${chosen.size} chosen`;
  });
  document.addEventListener("pgqueue:fresh", restore);
  // What the browser kept of a page that one came back to.
  for (const each of boxes()) note(each);
  restore();
}
