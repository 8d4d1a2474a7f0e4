// Lets keys press the buttons that name them. Without it the page works by its buttons.
"use strict";

let sent = false;

function isTyping(element) {
  return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTyping(event.target) || event.key.length !== 1) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});

// Whoever presses twice has labelled once.
document.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});

// A page that the browser brings back shows what was labelled by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
