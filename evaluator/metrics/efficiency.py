"""How little an engine computed twice."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.errors import Cause
from evaluator.records import Generation


def prefill_efficiency(generations: Iterable[Generation]) -> float | None:
    """Returns distinct prompt tokens over prompt tokens computed, in 0..1.

    None if nothing was computed, or if the engine left either count untold for any row that counts: what is unknown is
    never taken for the best there is.

    Distinct tokens are those that no earlier prompt of the same user shared, whichever engine answered it; computed
    tokens are those that the engine did not take from its prefix cache. 1 means that every history was prefilled once;
    one that a later engine had to prefill again, because the earlier one was gone, counts as computed twice. Prompts
    that did not fit the context were never computed and do not count.
    """
    distinct = computed = 0
    for generation in generations:
        if generation.failure is Cause.CONTEXT_OVERFLOW:
            continue
        if generation.shared_tokens is None or generation.cached_tokens is None:
            return None
        distinct += generation.prompt_tokens - generation.shared_tokens
        computed += generation.prompt_tokens - generation.cached_tokens
    return min(1.0, distinct / computed) if computed else None
