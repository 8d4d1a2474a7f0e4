// Lets keys press the buttons that name them. Without it the page works by its buttons.
"use strict";

// So long after an item has come, keys are not meant for it: nobody has read it.
const DEAF_MS = 500;
const KEYS = "label-keys";
const LABELLED = "label-labelled";

let sent = false;
let listens = false;

// What the browser does not let us keep is as if it had never been.
function kept(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Then it holds for this page alone.
  }
}

const box = document.querySelector("#keys input");
if (box) {
  box.checked = kept(KEYS) !== "off";
  box.parentElement.hidden = false;
  box.addEventListener("change", () => keep(KEYS, box.checked ? "on" : "off"));
}

setTimeout(() => {
  listens = true;
}, DEAF_MS);

// Whoever has labelled goes on reading where the next item begins, not at the top of the page.
if (kept(LABELLED) === "yes") document.querySelector(".item")?.focus({ preventScroll: true });
keep(LABELLED, "no");

function isTyping(element) {
  return element.isContentEditable || (["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName) && element !== box);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!listens || (box && !box.checked) || isTyping(event.target) || event.key.length !== 1) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});

// Whoever presses twice has labelled once.
document.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
  keep(LABELLED, "yes");
});

// A page that the browser brings back shows what was labelled by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
