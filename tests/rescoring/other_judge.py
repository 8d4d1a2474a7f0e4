"""A judge of the tests' own, beside those that ship."""

from __future__ import annotations

from pathlib import Path

import yaml

from evaluator.judges.spec import load_judge

DEMO = load_judge("demo")
OTHER = "other"
"""Its id."""


def write_judge(folder: Path, judge_id: str = OTHER, status: str = "candidate", *, free: bool = False) -> Path:
    """Writes a judge that is decoded as the demo's, but by another model; returns the folder of judges.

    One that is free writes as it likes, as servers that cannot force anything need it.
    """
    told = DEMO.model_dump(mode="json") | {"id": judge_id, "status": status, "model": f"local/{judge_id}"}
    if free:
        told["patterns"] = None
    (folder / judge_id).mkdir(parents=True, exist_ok=True)
    (folder / judge_id / "judge.yaml").write_text(yaml.safe_dump(told))
    return folder
