"use strict";
(() => {
  const facts = JSON.parse(document.body.dataset.page);
  const cases = [...document.querySelectorAll("article.case")];
  const store = "osler-reader-" + facts.page;
  let answers = {};
  let current = 0;
  try {
    answers = JSON.parse(localStorage.getItem(store)) || {};
  } catch {
    answers = {};
  }

  function keep() {
    try {
      localStorage.setItem(store, JSON.stringify(answers));
    } catch {
      warn("This browser keeps no answers: export them before you close the page.");
    }
  }

  function warn(words) {
    document.getElementById("progress").dataset.warning = words;
  }

  function show(place, focus) {
    current = Math.max(0, Math.min(cases.length - 1, place));
    cases.forEach((each, number) => { each.hidden = number !== current; });
    const chosen = answers[cases[current].id];
    for (const input of cases[current].querySelectorAll("input")) input.checked = input.value === chosen;
    const progress = document.getElementById("progress");
    const done = cases.filter((each) => each.id in answers).length;
    progress.textContent = done + " of " + cases.length + " answered. " + (progress.dataset.warning || "");
    document.getElementById("previous").disabled = current === 0;
    document.getElementById("next").disabled = current === cases.length - 1;
    if (focus) { cases[current].focus({ preventScroll: true }); window.scrollTo(0, 0); }
  }

  function choose(value) {
    answers[cases[current].id] = value;
    keep();
    show(current, false);
  }

  function download() {
    const text = JSON.stringify({ ...facts, answers }, null, 2);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "answers-" + facts.reader + ".json";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  document.addEventListener("change", (event) => {
    if (event.target.type === "radio") choose(event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const value = { 1: "left", 2: "right", 3: "tie", 4: "both_bad" }[event.key];
    if (value) choose(value);
    else if (event.key === "n") show(current + 1, true);
    else if (event.key === "p") show(current - 1, true);
  });
  document.getElementById("previous").addEventListener("click", () => show(current - 1, true));
  document.getElementById("next").addEventListener("click", () => show(current + 1, true));
  document.getElementById("export").addEventListener("click", download);
  show(0, false);
})();
