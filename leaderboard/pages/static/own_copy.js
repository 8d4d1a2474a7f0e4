// Shows questions from a reader's own copy of the data set. Files are read here, line by line; nothing is sent.
"use strict";

const form = document.getElementById("own-copy");
const told = document.getElementById("own-told");
const places = [...document.querySelectorAll(".own")];
// Whose histories a split's users have: those of test_1 may be trained on.
const HISTORY = { train: "train", test_1: "train", test_2: "test" };

const splitOf = (place) => place.dataset.question.split("/", 1)[0];

async function* rows(file, wanted) {
  let rest = "";
  for await (const piece of file.stream().pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) if (wanted(line)) yield JSON.parse(line);
  }
  if (rest.trim() && wanted(rest)) yield JSON.parse(rest);
}

function put(place, label, text) {
  const part = document.createElement("p");
  const name = document.createElement("strong");
  name.textContent = label;
  part.append(name, document.createTextNode(text));
  place.append(part);
  place.hidden = false;
}

// A file is taken for a split's if its name says so: test_1 and not test, which is a split of dialogues.
const isOf = (file, split) => new RegExp(`(^|[^a-z0-9])${split}([^a-z0-9_]|$)`, "i").test(file.name);

async function questions(files) {
  const found = new Map();
  for (const split of new Set(places.map(splitOf))) {
    const mine = new Map(places.filter((place) => splitOf(place) === split)
      .map((place) => [place.dataset.question.slice(split.length + 1), place]));
    for (const file of files.filter((each) => isOf(each, split))) {
      for await (const row of rows(file, (line) => line.includes("personalized_answer"))) {
        const place = mine.get(String(row.question_id));
        if (place && String(row.user_id) === place.dataset.user && row.type === place.dataset.type) found.set(place, row);
      }
    }
  }
  return found;
}

async function evidence(files, place, row) {
  const needed = new Set([row.dialogue_id].flat().map(String));
  const turns = [];
  for (const file of files.filter((each) => isOf(each, HISTORY[splitOf(place)]))) {
    for await (const each of rows(file, (line) => line.includes('"assistant"'))) {
      const mine = String(each.user_id) === place.dataset.user && needed.has(String(each.dialogue_id));
      if (mine && typeof each.assistant === "string") turns.push(each);
    }
  }
  return turns;
}

async function fill(files) {
  told.textContent = "Reading…";
  const found = await questions(files);
  let lacking = 0;
  for (const place of places) place.replaceChildren();
  for (const [place, row] of found) {
    put(place, "Question", String(row.question));
    put(place, "The data set's own answer (gold)", String(row.personalized_answer));
    if (!place.dataset.evidence) continue;
    const turns = await evidence(files, place, row);
    if (!turns.length) lacking += 1;
    for (const each of turns) put(place, `Dialogue ${each.dialogue_id}`, `User: ${each.user}\nAssistant: ${each.assistant}`);
  }
  const dialogues = lacking ? " No dialogue that it needs was found in these files." : "";
  told.textContent = `${found.size} of ${places.length} found in ${files.length} file${files.length === 1 ? "" : "s"}.${dialogues}`;
}

if (form && places.length) {
  form.hidden = false;
  document.getElementById("own-files").addEventListener("change", async (event) => {
    try {
      await fill([...event.target.files]);
    } catch (error) {
      console.warn(error);
      told.textContent = "A file could not be read: it holds no JSON lines.";
    }
  });
}
