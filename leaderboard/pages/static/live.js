// Keeps what moves on a page up to date: running submissions every second, board rows whenever the store has changed.
"use strict";

const EVERY_MS = 1000;
const live = document.getElementById("live");
const board = document.getElementById("board");

async function refreshBoard(revision) {
  const answer = await fetch(board.dataset.url);
  if (!answer.ok) return;
  const known = new Set(Array.from(board.querySelectorAll("tbody tr"), (row) => row.id));
  board.innerHTML = await answer.text();
  board.dataset.revision = revision;
  for (const row of board.querySelectorAll("tbody tr")) {
    if (!known.has(row.id)) row.classList.add("fresh");
  }
}

// Whatever a reader has opened stays open.
function replaceLive(html) {
  const open = Array.from(live.querySelectorAll("details"), (details) => details.open);
  live.innerHTML = html;
  live.dataset.html = html;
  live.querySelectorAll("details").forEach((details, place) => { details.open = open[place] || false; });
}

async function refresh() {
  const answer = await fetch(live.dataset.url);
  if (!answer.ok) return;
  const html = await answer.text();
  if (html !== live.dataset.html) replaceLive(html);
  const revision = answer.headers.get("X-Board-Revision");
  if (board && revision && revision !== board.dataset.revision) await refreshBoard(revision);
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
