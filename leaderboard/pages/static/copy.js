// Copies the line beside a button. Where the browser does not allow that, it selects the line and says so.
"use strict";

document.documentElement.classList.add("scripted");

async function copy(button) {
  const line = button.parentElement.querySelector("code");
  for (const told of document.querySelectorAll(".copied")) told.textContent = "";
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(line.textContent);
  } catch {
    getSelection().selectAllChildren(line);
    said = "Your browser does not allow it; the line is selected";
  }
  button.parentElement.querySelector(".copied").textContent = said;
}

// Parts of the page are replaced while it is open, buttons included.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) copy(button);
});
