"""The card of a demo set: what it is, how it was made, and the schema that readers rely on.

Whole metadata columns of a split can be null, so their types cannot be guessed from the rows: the card states them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from evaluator.hicupid.demo_data.records import DemoSize

_METADATA = {
    "persona": ("category", "entity", "relation", "sentiment"),
    "profile": ("age", "gender", "personality", "occupation", "income_range"),
    "schedule": ("datetime", "event"),
}
_SPLITS = {
    "dialogue": {"train": "seen", "test": "unseen"},
    "qa": {"train": "seen", "test_1": "seen", "test_2": "unseen"},
}

_BODY = """
# Rapport demo set

Invented users for trying out and testing Rapport. The set is **synthetic**: every sentence was composed by a seeded
program from text written for this project. It is a stand-in **in the layout of HiCUPID and is not HiCUPID**: it shares
no rows with it, and results on it say nothing about results there.

- Seen users: {seen_users} (histories in `dialogue` `train`, questions in `qa` `train` and `test_1`)
- Unseen users: {users} (histories in `dialogue` `test`, questions in `qa` `test_2`)
- Turns of a persona dialogue: {persona_turns}
- Seed: {seed}
- Licence: Apache-2.0

It was written by

```
rapport demo-data FOLDER --users {users} --seen-users {seen_users} --persona-turns {persona_turns} --seed {seed}
```

and the same command writes the same bytes again. A split without users is left out.

```python
from datasets import load_dataset

histories = load_dataset("FOLDER", "dialogue", split="train")
questions = load_dataset("FOLDER", "qa", split="test_1")
```

`dialogue`: one row is one turn; the order of rows is the order of turns; `dialogue_id` is `user_id * 40 + k`.
`qa`: `dialogue_id` lists the dialogues that hold the evidence, `personalized_answer` is gold, `general_answer` ignores
the user. A user's tastes, facts and appointments show in the dialogues but are never announced there.
"""


def render_card(size: DemoSize, seed: int) -> str:
    """Return the text of README.md for a set of this size and seed."""
    configs = [_config(name, splits) for name in _SPLITS if (splits := filled_splits(name, size))]
    front = {
        "license": "apache-2.0",
        "language": ["en"],
        "pretty_name": "Rapport demo set",
        "tags": ["synthetic", "personalization"],
        "configs": configs,
        "dataset_info": [
            {"config_name": "dialogue", "features": _dialogue_features()},
            {"config_name": "qa", "features": _qa_features()},
        ],
    }
    header = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    body = _BODY.format(**size._asdict(), seed=seed)
    return f"---\n{header}---\n{body}"


def filled_splits(config: str, size: DemoSize) -> list[str]:
    """Return the splits of a config that hold rows; `datasets` cannot open a config that lists an empty one.

    Example:
        >>> filled_splits("qa", DemoSize(users=0, seen_users=3, persona_turns=1))
        ['train', 'test_1']
    """
    has_rows = {"seen": size.seen_users > 0, "unseen": size.users > 0}
    return [split for split, group in _SPLITS[config].items() if has_rows[group]]


def _config(name: str, splits: Sequence[str]) -> dict[str, Any]:
    return {
        "config_name": name,
        "data_files": [{"split": split, "path": f"{name}/{split}.jsonl"} for split in splits],
    }


def _dialogue_features() -> list[Mapping[str, Any]]:
    return [
        _column("user_id", "int64"),
        _column("dialogue_id", "int64"),
        *(_column(name, "string") for name in ("user", "assistant", "type")),
    ]


def _qa_features() -> list[Mapping[str, Any]]:
    texts = ("question", "personalized_answer", "general_answer", "type")
    metadata = [
        {"name": part, "struct": [_column(name, "string") for name in names]} for part, names in _METADATA.items()
    ]
    return [
        _column("user_id", "int64"),
        {"name": "dialogue_id", "list": "int64"},
        _column("question_id", "int64"),
        *(_column(name, "string") for name in texts),
        {"name": "metadata", "struct": metadata},
    ]


def _column(name: str, dtype: str) -> dict[str, str]:
    return {"name": name, "dtype": dtype}
