// Asks for a page again and again on which something is being worked out, and shows what is new, until it is done.
"use strict";

const after = 1000 * Number(document.currentScript.dataset.after);
const main = document.querySelector("main");

// Whoever is writing, or has chosen something, is not interrupted.
function isBusy() {
  return document.hidden || main.querySelector("input:focus, select:focus, textarea:focus, dialog[open]") !== null;
}

async function again() {
  let goesOn = true;
  try {
    if (!isBusy()) {
      const answer = await fetch(location.href);
      if (answer.redirected) {
        location.replace(answer.url);
        return;
      }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("main");
        goesOn = page.querySelector("script[data-after]") !== null;
        const open = Array.from(main.querySelectorAll("details"), (details) => details.open);
        main.replaceChildren(...fresh.childNodes);
        main.querySelectorAll("details").forEach((details, place) => { details.open = open[place] || false; });
      }
    }
  } catch (error) {
    console.warn("Rapport does not answer; trying again.", error);
  }
  if (goesOn) setTimeout(again, after);
}

setTimeout(again, after);
