"""What a judge is asked in tests of engines."""

from __future__ import annotations

from evaluator.engines.base import Message, Request, Sampling

VERDICT = Sampling(
    max_tokens=60, pattern=r"Because [a-z ]{3,20}\.\nBetter Response: (A|B|Tie)", watch=("A", "B", "Tie")
)


def judged(number: int) -> list[Request]:
    return [Request(f"j{place}", "judge", (Message("user", f"A or B{'?' * place}"),)) for place in range(number)]
