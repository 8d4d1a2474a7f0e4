"""The process in which chat templates are written out: `python -m evaluator.engines.template_host`, in JSON lines.

Each line brings a template and a conversation, which is answered with its `text`, or with the template's own words
where it has `refused`, or with what it took `too_much` of. A template that computes for too long ends the process: the
kernel sees to that, whatever the template is doing.
"""

from __future__ import annotations

import datetime
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

from evaluator.engines.base import TEMPLATE_DATE
from evaluator.engines.templates import Limits

_WORDS = 300
"""Characters of a template's complaint that are passed on."""


def main() -> None:
    """Serves templates until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from transformers.utils.chat_template_utils import render_jinja_template

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    idle = _memory()
    for line in sys.stdin:
        task = json.loads(line)
        limits = Limits.model_validate(task["limits"])
        resource.setrlimit(resource.RLIMIT_AS, (idle + limits.memory_mib * 2**20, resource.RLIM_INFINITY))
        answers.write(json.dumps(_answer(render_jinja_template, task, limits)) + "\n")
        answers.flush()


def _memory() -> int:
    """Returns the bytes of memory that this process has reserved, as far as it can be known."""
    if sys.platform != "linux":
        return 2**36  # Elsewhere addresses are handed out more freely, and the limit is a coarse one.
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[0]) * resource.getpagesize()


def _answer(render: Callable[..., Any], task: dict[str, Any], limits: Limits) -> dict[str, str]:
    """Writes one prompt within the limits."""
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)  # Nobody handles its signal, so that it ends the process.
    try:
        (text,), _ = render(
            conversations=[task["messages"]],
            chat_template=task["template"],
            add_generation_prompt=True,
            **{**task["tokens"], **task["arguments"]},
            strftime_now=datetime.datetime.fromisoformat(TEMPLATE_DATE).strftime,
        )
        if len(text) > limits.characters:
            return {"too_much": "characters"}
        text.encode()  # Halves of characters are no text.
    except MemoryError:
        return {"too_much": "memory"}
    except RecursionError:
        return {"too_much": "recursion"}
    except Exception as error:  # noqa: BLE001 - Whatever a stranger's template can raise is its refusal.
        return {"refused": " ".join(str(error)[: 2 * _WORDS].split())[:_WORDS].rstrip(".") or type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"text": text}


if __name__ == "__main__":
    main()
