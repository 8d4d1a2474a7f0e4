"""Made-up sources of labels in the shapes that importers read, all in words of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evaluator.human.importers.sources import ImportOptions

Row = dict[str, Any]

SECRET = "a salt that nobody may ever see"
BEES, TRAINS, RAIN = "The user keeps bees.", "The user likes night trains.", "The user dislikes rain."
ASKED = "Where should I go in May?"


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Returns all files of a folder with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def rows_of(folder: Path, table: str) -> list[Row]:
    return [json.loads(line) for line in (folder / table / "part-0000.jsonl").read_text().splitlines()]


class ToolSource:
    """The annotation tool's files: two users, three attributes, one prompt and one response for the first user."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers = root / "annotations"
        self.salt = root / "salt"
        root.mkdir(parents=True, exist_ok=True)
        self.salt.write_text(SECRET + "\n")
        self.users = write_rows(
            root / "task4_items.jsonl", [self.user(0, "ip-1", BEES, TRAINS), self.user(1, "2", RAIN)]
        )
        self.prompts = write_rows(root / "task5_items.jsonl", [self.prompt(7, "ip-1", BEES, TRAINS)])
        self.responses = write_rows(root / "task6_items.jsonl", [self.response()])
        self.evidence = write_rows(
            root / "evidence.jsonl",
            [
                {"user_id": "ip-1", "evidence": [{"conv_idx": 0, "turn_idxs": [0]}, {"conv_idx": 1, "turn_idxs": []}]},
                {"user_id": "2", "evidence": [{"conv_idx": -1, "turn_idxs": []}]},
            ],
        )
        for name, judgments, relevant, rating in (
            ("Alice", ("ok", "bad"), (True, False), 5),
            ("Bob", ("unsure", "ok"), (True, True), 3),
            ("worker 5e18", ("ok", "ok"), (False, False), 2),
        ):
            self.write_answers(name, judgments, relevant, rating)

    def write_answers(self, name: str, judgments: Iterable[str], relevant: Iterable[bool], rating: int) -> None:
        """Writes one annotator's answers of all stages."""
        write_rows(self.answers / f"{name}_task4.jsonl", [self.judged(name, *judgments)])
        write_rows(self.answers / f"{name}_task5.jsonl", [self.related(name, *relevant)])
        write_rows(self.answers / f"{name}_task6.jsonl", [self.rated(name, rating)])

    @staticmethod
    def user(index: int, user: str, *attributes: str) -> Row:
        spoken = [
            {
                "conversation_hash": "same",
                "timestamp": "2026-05-01T10:00:00+00:00",
                "conversation": [
                    {"role": "user", "content": f"I am user {user}, part {part}."},
                    {"role": "assistant", "content": "Good to know."},
                ],
            }
            for part in range(2)
        ]
        listed = [{"attribute": text, "embedding": [0.1, 0.2]} for text in attributes]
        empty = {"conversation": [], "timestamp": None}
        return {
            "item_index": index,
            "user_id": user,
            "source": "chats",
            "merged_attributes": listed,
            "conversations": [empty, *spoken],
        }

    @staticmethod
    def prompt(index: int, user: str, *attributes: str) -> Row:
        listed = [{"attribute": text} for text in attributes]
        return {"prompt_index": index, "user_id": user, "prompt_text": ASKED, "profile_attributes": listed}

    @staticmethod
    def response() -> Row:
        return {
            "item_index": 0,
            "model_tag": "some-model",
            "prompt_id": "ip-1_7",
            "user_id": "ip-1",
            "prompt_text": ASKED,
            "attributes": [{"attribute": BEES, "is_relevant": True}, {"attribute": TRAINS, "is_relevant": False}],
            "response_no_context": "Anywhere.",
            "response_personalized": "Where heather grows.",
        }

    @staticmethod
    def judged(name: str, *judgments: str | None, index: int = 0, **further: Any) -> Row:
        listed = [{"judgment": judgment, "note": f"{name} thinks {judgment}"} for judgment in judgments]
        return {"task": "4", "index": index, "annotator": name, "attr_judgments": listed} | _told(further)

    @staticmethod
    def related(name: str, *relevant: bool | None, **further: Any) -> Row:
        listed = [{"attribute": text, "relevant": each} for text, each in zip((BEES, TRAINS), relevant, strict=True)]
        row = {"task": "5", "annotator": name, "prompt_index": 7, "user_id": "ip-1", "relevance_judgments": listed}
        return row | {"note": f"{name} on the prompt"} | _told(further)

    @staticmethod
    def rated(name: str, rating: Any, text: str = BEES, **further: Any) -> Row:
        row = {"task": "6", "annotator": name, "item_index": 0, "model_tag": "some-model", "ratings": {text: rating}}
        return row | {"note": ""} | _told(further)

    def options(self, **further: Any) -> ImportOptions:
        """Returns what an import of everything takes."""
        given = ImportOptions(
            items=(("4", self.users), ("5", self.prompts), ("6", self.responses)),
            evidence=self.evidence,
            salt_file=self.salt,
        )
        return given._replace(**further)


def _told(further: Row) -> Row:
    return {"timestamp": "2026-05-02T09:00:00", "flagged": False} | further


def alpsbench_record(session: str = "sess_1", user: str = "unknown_user") -> Row:
    """Returns a record with three verified memories and four candidates."""
    said = ["I moved my hives.", "How did it go?", "Well, but I hate rain.", "I see."]
    turns = [
        {"utterance_index": number, "role": "user" if number % 2 == 0 else "assistant", "text": text}
        for number, text in enumerate(said)
    ]
    return {
        "user_id": user,
        "sessions": [{"session_id": session, "started_at": "2026-04-29T02:27:03+00:00", "turns": turns}],
        "memory_items": [
            alpsbench_memory("m1", "Keeps bees", session, 0),
            alpsbench_memory("m2", "Dislikes rain", session, 2),
            alpsbench_memory("m9", "Wants to move again", session, None),
        ],
        "memory_stage1_candidates": [
            alpsbench_memory("m1", "Keeps bees", session, 0, confidence=0.5),
            alpsbench_memory("m2", "Hates all weather", session, 2),
            alpsbench_memory("m3", "Is a meteorologist", session, 3),
        ],
    }


def alpsbench_memory(name: str, value: str, session: str, turn: int | None, confidence: float = 0.9) -> Row:
    evidence = {"session_id": session, "utterance_index": turn, "text": "..."}
    return {"memory_id": name, "type": "direct", "value": value, "evidence": evidence, "confidence": confidence}
