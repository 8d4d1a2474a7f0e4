// All figures of a row, fetched when they are opened; and the count of rows, told once when an open page gets new ones.
"use strict";

const rows = document.getElementById("human");
const count = document.getElementById("count");

// The link that stands there stays if anything goes wrong: it leads to the same figures.
async function fill(details) {
  const link = details.querySelector("p");
  if (!details.open || !link || details.dataset.asked) return;
  details.dataset.asked = "yes";
  details.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(details.dataset.figures);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const figures = document.importNode(page.getElementById("figures"), true);
    figures.removeAttribute("id");
    figures.removeAttribute("class");
    link.before(figures);
  } catch (error) {
    console.warn("The figures could not be fetched; the link leads to them.", error);
    delete details.dataset.asked;
  }
  details.removeAttribute("aria-busy");
}

if (rows) {
  // Such an event does not bubble, but it can be caught on its way down.
  rows.addEventListener("toggle", (event) => {
    if (event.target.dataset.figures) fill(event.target);
  }, true);
  new MutationObserver(() => {
    const told = rows.querySelector("[data-count]");
    if (told && told.dataset.count !== count.textContent) count.textContent = told.dataset.count;
  }).observe(rows, { childList: true });
}
