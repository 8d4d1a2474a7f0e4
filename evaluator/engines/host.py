"""The process in which an engine lives: `python -m evaluator.engines.host`, spoken to in JSON lines.

Standard input carries one `spec` line, then `generate` and `count_tokens` lines; standard output carries `info`,
`completion`, `done`, `tokens` and `error` lines.
"""

from __future__ import annotations

import sys
from typing import Any

from evaluator.engines.base import Engine, EngineInfo, EngineSpec, Message, Request, Sampling
from evaluator.engines.confine import confinement
from evaluator.engines.hosting import Answerer, Answers, host


def main() -> None:
    """Serves one engine until standard input ends."""
    host(_load, "engine")


def _load(spec: str) -> tuple[dict[str, Any], Answerer]:
    """Loads the engine."""
    # transformers would load it where it is installed, a second of every start, for a decoding that nobody asks for.
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]
    from evaluator.engines.load import load_engine

    engine = load_engine(EngineSpec.model_validate_json(spec))
    return info_line(engine.info), answerer(engine)


def info_line(info: EngineInfo) -> dict[str, Any]:
    """Returns what is said of an engine, with what its process was confined to: provenance, and no part of any key."""
    flags = {**dict(info.flags), "confined": ", ".join(confinement().done) or "none"}
    return info.model_copy(update={"flags": tuple(sorted(flags.items()))}).model_dump(mode="json")


def answerer(engine: Engine) -> Answerer:
    """Returns what answers `generate` and `count_tokens` lines with an engine."""

    def answer(asked: dict[str, Any]) -> Answers:
        if "count_tokens" in asked:
            return _count(engine, asked["count_tokens"])
        return _generate(engine, asked["generate"])

    return answer


def _count(engine: Engine, conversations: list[Any]) -> Answers:
    """Yields the one answer to a `count_tokens` line."""
    yield {"tokens": engine.count_tokens([_messages(parts) for parts in conversations])}


def _generate(engine: Engine, asked: dict[str, Any]) -> Answers:
    """Yields the answers to a `generate` line."""
    for completion in engine.generate(requests_in(asked["requests"]), samplings_in(asked), requests_in(asked["seen"])):
        yield {"completion": completion.model_dump(mode="json"), "peak_rss_mb": engine.peak_rss_mb()}
    yield {"done": True, "peak_rss_mb": engine.peak_rss_mb()}


def samplings_in(asked: dict[str, Any]) -> dict[str, Sampling]:
    """Reads how the tokens of each group in a `generate` line are drawn."""
    return {group: Sampling.model_validate(told) for group, told in asked["samplings"].items()}


def requests_in(lines: list[Any]) -> list[Request]:
    """Reads requests of a `generate` line."""
    return [Request(key, group, _messages(parts)) for key, group, parts in lines]


def _messages(parts: list[list[Any]]) -> tuple[Message, ...]:
    """Reads a conversation."""
    return tuple(Message(role, content) for role, content in parts)


if __name__ == "__main__":
    main()
