"""Made-up tables of separated values and of JSON Lines, with a map of their columns."""

from __future__ import annotations

from pathlib import Path

from evaluator.human.importers.sources import ImportOptions
from tests.human.sources import SECRET, write_rows

MAP = """
conversations:
  file: talks.jsonl
  columns: {conversation_id: id, user_id: who, turns: said}
attributes:
  file: attributes.csv
  columns:
    attribute_id: id
    user_id: user
    text: sentence
    evidence: {column: talks, split: ";"}
    origin: {value: our extractor}
    confidence: sure
attribute_labels:
  file: votes.csv
  columns:
    attribute_id: id
    annotator_id: worker
    label: {column: vote, values: {ok: accepted, unsure: uncertain, no: rejected}}
    labelled_at: when
    note: remark
  ignore: [seconds]
prompts:
  file: prompts.csv
  columns: {prompt_id: id, text: prompt, user_ids: {column: users, split: "|"}}
relevance_labels:
  file: relevance.tsv
  columns:
    prompt_id: prompt
    attribute_id: attribute
    annotator_id: worker
    relevant: {column: relevant, values: {yes: true, no: false}}
responses:
  file: responses.jsonl
  columns:
    {response_id: id, prompt_id: prompt, user_id: user, attribute_ids: attributes, writer: model, generic: a,
     personalised: b}
response_ratings:
  file: ratings.csv
  delimiter: ";"
  columns: {response_id: response, attribute_id: attribute, annotator_id: worker, rating: stars}
"""


class Tables:
    """A folder of tables as MAP describes them."""

    def __init__(self, root: Path) -> None:
        self.folder, self.map, self.salt = root / "tables", root / "map.yaml", root / "salt"
        self.folder.mkdir(parents=True)
        self.salt.write_text(SECRET)
        self.map.write_text(MAP)
        turns = [{"role": "user", "text": "I sing."}, {"role": "assistant", "text": "Nice."}]
        talks = [{"id": name, "who": user, "said": turns} for name, user in (("c1", "u@x.org"), ("c0", "v@x.org"))]
        write_rows(self.folder / "talks.jsonl", talks)
        self.write("attributes.csv", "id,user,sentence,talks,sure", 'a1,u@x.org,"The user sings, loudly.",c1,0.5')
        self.write(
            "votes.csv",
            "id,worker,vote,when,remark,seconds",
            "a1,Alice,ok,2026-05-01T10:00:00+02:00,very sure,3",
            "a1,Bob,no,,,4",
        )
        self.write("prompts.csv", "id,prompt,users", "p1,What shall I do tonight?,u@x.org|v@x.org")
        self.write("relevance.tsv", "prompt\tattribute\tworker\trelevant", "p1\ta1\tAlice\tyes", "p1\ta1\tBob\tno")
        response = {"id": "r1", "prompt": "p1", "user": "u@x.org", "attributes": ["a1"], "model": "m"}
        write_rows(self.folder / "responses.jsonl", [response | {"a": "Read.", "b": "Sing."}])
        self.write("ratings.csv", "response;attribute;worker;stars", "r1;a1;Alice;5")

    def write(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def options(self, **further: object) -> ImportOptions:
        return ImportOptions(columns=self.map, salt_file=self.salt)._replace(**further)
