// Makes the board quicker: what a link or the form asks for is fetched as rows alone and put in place. Without this file
// the same links and the same form load the same pages.
"use strict";

(() => {
  const board = document.getElementById("board");
  const form = document.getElementById("filters");
  const words = document.getElementById("q");
  const said = document.getElementById("said");
  const TYPING_MS = 80;
  const WAITING_MS = 300;
  let asked = null; // What is on its way.
  let typing = 0; // While letters follow each other: the timer that runs out when they rest.
  let more = false; // Whether any followed the one that was searched by.
  let typed = false; // Whether the last state came from typing, which makes no history of every letter.

  const rowsOf = (query) => `/rows${query}`;
  const part = (name, within) => within.querySelector(`#part-${name}`);

  // Keeps what a reader has opened, scrolled to and stands on.
  function put(html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html; // The server's own fragment.
    const open = new Set(Array.from(board.querySelectorAll("details[open][id]"), (each) => each.id));
    const focused = board.contains(document.activeElement) ? document.activeElement.id : "";
    const left = board.querySelector(".board-box")?.scrollLeft || 0;
    for (const name of ["tabs", "filters", "table"]) {
      const there = part(name, board);
      const next = part(name, fresh.content);
      for (const id of open) next.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
      there.replaceWith(next);
    }
    const box = board.querySelector(".board-box");
    if (box) box.scrollLeft = left;
    if (focused && document.activeElement?.id !== focused) {
      (document.getElementById(focused) || box || words).focus({ preventScroll: true });
    }
    const value = fresh.content.querySelector("#q").value;
    if (document.activeElement !== words) words.value = value;
    return part("table", board).dataset.query;
  }

  function tell(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  function fail(again) {
    const problem = document.createElement("p");
    problem.className = "problem";
    problem.id = "board-problem";
    problem.setAttribute("role", "alert");
    problem.textContent = "The board does not answer. What you see is what was there before. ";
    const button = document.createElement("button");
    button.className = "retry";
    button.textContent = "Try again";
    button.addEventListener("click", again);
    problem.append(button);
    document.getElementById("board-problem")?.remove();
    board.before(problem);
  }

  // Asks for a state; whatever was asked before and is not there yet is no longer wanted.
  async function show(query, remember, unasked = false) {
    asked?.abort();
    const mine = (asked = new AbortController());
    const waiting = setTimeout(() => board.setAttribute("aria-busy", "true"), WAITING_MS);
    try {
      const answer = await fetch(rowsOf(query), { signal: mine.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const html = await answer.text();
      if (mine.signal.aborted) return;
      const known = put(html);
      board.dataset.url = rowsOf(known);
      if (answer.headers.get("X-Revision")) board.dataset.revision = answer.headers.get("X-Revision");
      for (const id of ["board-problem", "unknown-judge"]) document.getElementById(id)?.remove();
      remember(known);
      tell(document.getElementById("count").textContent);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!unasked) fail(() => show(query, remember));
    } finally {
      clearTimeout(waiting);
      if (asked === mine) {
        asked = null;
        board.removeAttribute("aria-busy");
      }
    }
  }

  const push = (query) => {
    typed = false;
    if (query !== location.search) history.pushState(null, "", `/${query}`);
  };
  const replaceTyped = (query) => {
    if (query === location.search) return;
    history[typed ? "replaceState" : "pushState"](null, "", `/${query}`);
    typed = true;
  };

  function formQuery() {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) values.append(name, value);
    const query = values.toString();
    return query ? `?${query}` : "";
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    stopTyping();
    show(formQuery(), push);
  });

  function stopTyping() {
    clearTimeout(typing);
    typing = 0;
  }

  // The first letter is searched by at once, those that follow it closely when they rest.
  words.addEventListener("input", () => {
    const first = !typing;
    clearTimeout(typing);
    more = !first;
    typing = setTimeout(() => {
      typing = 0;
      if (more) show(formQuery(), replaceTyped);
    }, TYPING_MS);
    if (first) show(formQuery(), replaceTyped);
  });

  form.addEventListener("change", (event) => {
    if (event.target !== words) show(formQuery(), push);
  });

  board.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const address = new URL(link.href);
    if (address.origin !== location.origin || address.pathname !== "/" || address.hash) return;
    event.preventDefault();
    stopTyping();
    await show(address.search, push);
    if (link.id.startsWith("page-")) part("table", board).scrollIntoView();
  });

  // A tooltip that is in the way goes with Escape, and comes back with the next one that is asked for.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") board.querySelector("thead")?.classList.add("quiet");
  });
  for (const kind of ["focusin", "mouseover"]) {
    board.addEventListener(kind, (event) => {
      if (!event.target.closest("thead")) board.querySelector("thead")?.classList.remove("quiet");
    });
  }

  window.addEventListener("popstate", () => {
    stopTyping();
    typed = false;
    show(location.search, (query) => {
      if (document.activeElement === words) words.value = new URLSearchParams(query).get("q") || "";
    });
  });

  // Something new is on the board: what is shown is asked for again as it is, and rows that were not there are marked.
  board.addEventListener("rapport:revision", async (event) => {
    event.preventDefault();
    if (asked) return; // It brings what is new by itself.
    const known = new Set(Array.from(board.querySelectorAll("tbody tr"), (row) => row.id));
    await show(board.dataset.url.replace(/^[^?]*/, ""), () => {}, true);
    for (const row of board.querySelectorAll("tbody tr")) if (!known.has(row.id)) row.classList.add("fresh");
  });
})();
