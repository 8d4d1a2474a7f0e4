// Keeps a page that is open up to date: what is under way every second, the rest whenever its revision is another one.
"use strict";

const EVERY_MS = 1000;
const live = document.getElementById("live");
const kept = document.querySelector("[data-revision]");

// Whatever a reader has opened stays open.
function replace(section, html) {
  const open = Array.from(section.querySelectorAll("details"), (details) => details.open);
  section.innerHTML = html;
  section.querySelectorAll("details").forEach((details, place) => { details.open = open[place] || false; });
}

// Rows that were not there before are marked. A page that knows better how to renew itself says so.
async function refreshKept(revision) {
  if (!kept.dispatchEvent(new CustomEvent("rapport:revision", { cancelable: true }))) return;
  const answer = await fetch(kept.dataset.url);
  if (!answer.ok) return;
  const known = new Set(Array.from(kept.querySelectorAll("tbody tr"), (row) => row.id));
  const html = await answer.text();
  kept.dataset.revision = revision;
  if (html === kept.dataset.html) return;
  kept.dataset.html = html;
  replace(kept, html);
  for (const row of kept.querySelectorAll("tbody tr")) {
    if (!known.has(row.id)) row.classList.add("fresh");
  }
}

async function refresh() {
  const answer = await fetch(live.dataset.url);
  if (!answer.ok) return;
  const html = await answer.text();
  if (html !== live.dataset.html) replace(live, html);
  live.dataset.html = html;
  const revision = answer.headers.get("X-Revision");
  if (kept && revision && revision !== kept.dataset.revision) await refreshKept(revision);
}

async function tick() {
  try {
    if (!document.hidden) await refresh();
  } catch (error) {
    console.warn("Rapport does not answer; trying again.", error);
  }
  setTimeout(tick, EVERY_MS);
}

tick();
