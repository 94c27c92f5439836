"use strict";
const box = document.getElementById("search");
const count = document.getElementById("count");
const sections = [...document.querySelectorAll("section[data-words]")];
function show() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of sections) {
    section.hidden = !words.every((word) => section.dataset.words.includes(word));
    shown += section.hidden ? 0 : 1;
  }
  for (const note of document.querySelectorAll("div.note")) {
    note.hidden = ![...note.querySelectorAll("section")].some((section) => !section.hidden);
  }
  count.textContent = words.length ? shown + " of " + sections.length + " sections" : "";
}
box.value = decodeURIComponent(location.hash.slice(1));
box.addEventListener("input", show);
box.form.addEventListener("submit", (event) => event.preventDefault());
show();
