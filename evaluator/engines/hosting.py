"""What every process that holds a model does: read lines, answer lines, and end when its owner does.

It stands in a process group of its own. When the process that started it goes away, however that happens, its standard
input ends and it takes the whole group with it, and its own folder: nothing of it survives the work it was started for.
Everything that libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeAlias

from evaluator.engines.confine import HOME, confinement
from evaluator.errors import Cause, RapportError
from evaluator.redaction import redact

Answers: TypeAlias = Iterable[dict[str, Any]]
"""JSON objects, each of which is written as one line."""
Answerer: TypeAlias = Callable[[dict[str, Any]], Answers]
"""Answers one line; a `RapportError` of it is an answer too."""


def host(load: Callable[[str], tuple[dict[str, Any], Answerer]], role: str) -> None:
    """Serves one model until standard input ends.

    Args:
        load: Takes the first line, loads what it asks for, and returns what is said of that and what answers each
            further line.
        role: What the model is called in errors.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, lines), daemon=True).start()
    confined = confinement()
    for name, reason in confined.hindered:
        print(f"confinement: {name!r} cannot be had here: {reason}", flush=True)
    try:
        info, answer = load(lines.get())
        _send(answers, {"info": info, "confined": confined.done})
        while True:
            _answer(answers, answer, json.loads(lines.get()))
    except Exception as error:  # Anything may come out of a library that loads a model; our log gets its traceback.
        _send(answers, {"error": _typed(error, role)})
        raise


def _listen(source: IO[str], lines: queue.Queue[str]) -> None:
    """Hands over what arrives; when the other side is gone, nobody else removes our folder and ends our group."""
    try:
        for line in source:
            lines.put(line)
        home = Path(os.environ.get("HOME", "/"))
        if home.name.startswith(HOME):
            shutil.rmtree(home, ignore_errors=True)
    finally:
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _answer(answers: IO[str], answer: Answerer, asked: dict[str, Any]) -> None:
    """Answers one line."""
    try:
        for value in answer(asked):
            _send(answers, value)
    except RapportError as error:  # A request that is refused; others can still be served.
        _send(answers, {"error": _reported(error)})


def _send(answers: IO[str], value: dict[str, Any]) -> None:
    """Writes one line."""
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def _reported(error: RapportError) -> dict[str, str]:
    """Writes a typed error for the other side."""
    return {"cause": error.cause, "message": error.message, "remedy": error.remedy}


def _typed(error: Exception, role: str) -> dict[str, str]:
    """Names the cause of a failure for the other side."""
    if isinstance(error, RapportError):
        return _reported(error)
    text = redact(" ".join(str(error).split()))[:500] or type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "no available memory" in text.lower():
        return {
            "cause": Cause.OUT_OF_MEMORY,
            "message": f"The {role} ran out of memory: {text}.",
            "remedy": "Use a machine with more memory, or a smaller model.",
        }
    return {
        "cause": Cause.LOAD_ERROR,
        "message": f"The {role} could not load or run the model: {text}",
        "remedy": f"Check that the model loads in the {role}'s pinned version; its log has the details.",
    }
