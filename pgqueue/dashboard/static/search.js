// What is offered beside the box goes on from what was typed so far, word by word.
"use strict";
{
  const box = document.getElementById("query"), list = document.getElementById("words");
  box.addEventListener("input", () => {
    const before = box.value.slice(0, box.value.lastIndexOf(" ") + 1);
    for (const each of list.options) each.value = before + each.dataset.word;
  });
}
