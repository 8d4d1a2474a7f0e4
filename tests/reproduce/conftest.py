"""One evaluation of a model by the deterministic engine, published as the publisher does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evaluator.judges.spec import load_judge
from leaderboard.results import Scorecard
from tests.model_folders import make_model_folder
from tests.reproduce.publishing import publish
from worker.local.cli import run


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> dict[str, Any]:
        """What it printed as JSON."""
        report: dict[str, Any] = json.loads(self.out)
        return report


class Site(NamedTuple):
    """A machine with models, an evaluation, and public results of it."""

    path: Path
    card: Scorecard
    run: Callable[..., Ended]

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation"

    def reproduce(self, *options: str, store: str = "site") -> Ended:
        return self.run("reproduce", self.card.id, "--store", str(self.path / store), *options)


def _commands(patch: pytest.MonkeyPatch, path: Path) -> Iterator[Callable[..., Ended]]:
    """Runs commands as `python -m worker` does, in this process."""
    import contextlib
    import io

    import datasets

    patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(path / "cache"))
    patch.setenv("RAPPORT_DATA", str(path / "data"))
    patch.setenv("RAPPORT_MODELS", str(path / "models"))
    patch.setenv("RAPPORT_ENGINE", "deterministic")
    patch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
        return Ended(code, out.getvalue(), err.getvalue())

    yield command


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site")
    for name in ("tiny", load_judge("demo").model.removeprefix("local/")):
        make_model_folder(path / "models", name)
    with pytest.MonkeyPatch.context() as patch:
        for command in _commands(patch, path):
            out = path / "evaluation"
            ended = command("evaluate", "local/tiny", "--protocol", "demo-v1", "--out", str(out))
            assert ended.code == 0, ended.err
            yield Site(path, publish(out, path / "site"), command)
