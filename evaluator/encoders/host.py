"""The process in which an encoder lives: `python -m evaluator.encoders.host`, spoken to in JSON lines.

Standard input carries one `spec` line, then `encode` lines; standard output carries `info`, `vectors` and `error`
lines.
"""

from __future__ import annotations

from typing import Any

from evaluator.encoders.base import EncoderSpec, pack
from evaluator.engines.hosting import Answerer, Answers, host


def main() -> None:
    """Serves one encoder until standard input ends."""
    host(_load, "encoder")


def _load(spec: str) -> tuple[dict[str, Any], Answerer]:
    """Loads the encoder."""
    from evaluator.encoders.transformers import TransformersEncoder

    encoder = TransformersEncoder(EncoderSpec.model_validate_json(spec))

    def answer(asked: dict[str, Any]) -> Answers:
        yield {"vectors": pack(encoder.encode(asked["encode"])), "peak_rss_mb": encoder.peak_rss_mb()}

    return encoder.info.model_dump(mode="json"), answer


if __name__ == "__main__":
    main()
