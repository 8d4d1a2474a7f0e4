"""The five desiderata of HiCUPID, and how a model carries over to users never seen: from results and users' sums."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.hicupid.scoring import HIGHEST_TOTAL, cut, rounded
from evaluator.hicupid.user_scores import UserScore, number_users, total_parts
from evaluator.metrics.intervals import ModelSums, Part, UserSums, clustered_interval, paired_difference, ratio
from evaluator.results import Desiderata, Gap, Scores

_NOBODY = UserSums(0.0, 0)


def desiderata(scores: Scores, lc: Gap | None, generalisation: Gap | None) -> Desiderata:
    """Returns a result's figures under the names of the paper, with what only other results can tell."""
    return Desiderata(
        aui=scores.total,
        uii=scores.persona.score,
        mi=scores.profile.score,
        lc=lc,
        pr=scores.schedule,
        generalisation=generalisation,
    )


def long_context_gap(full: Sequence[UserScore], gold: Sequence[UserScore], between: tuple[str, str]) -> Gap:
    """Returns the persona score after whole histories less that after the needed dialogues alone.

    Only users with a persona item judged on both sides count, and each is compared with himself.

    Args:
        full: One model's users under a protocol that shows the whole history.
        gold: The same model's users under the same protocol but for showing the needed dialogues alone.
        between: The names of the two.

    Example:
        >>> def users(*scores):
        ...     return [UserScore("test_2", user, UserSums(score, 1), *[UserSums(0, 0)] * 2) for user, score in scores]
        >>> gap = long_context_gap(users((1, 50), (2, 0)), users((2, 50), (3, 100)), ("official-v1", "gold-v1"))
        >>> gap.value, gap.judged, gap.users
        (-50.0, (1, 1), 1)
    """
    numbers = number_users(full, gold)
    shared = {user.user for user in full if user.persona.items} & {user.user for user in gold if user.persona.items}
    first, second = ([user for user in users if user.user in shared] for users in (full, gold))
    difference = paired_difference(_persona_sums(first, numbers), _persona_sums(second, numbers))
    return Gap(
        value=rounded(difference.estimate),
        interval=cut(difference.interval, -100.0, 100.0),
        judged=(sum(user.persona.items for user in first), sum(user.persona.items for user in second)),
        users=len(shared),
        between=between,
    )


def generalisation_gap(unseen: Sequence[UserScore], seen: Sequence[UserScore], between: tuple[str, str]) -> Gap:
    """Returns the Total for users never seen less that for seen ones: other people, whose errors add up.

    Args:
        unseen: One model's users in the split of unseen ones.
        seen: The same model's users in the split of seen ones.
        between: The names of the two.

    Example:
        >>> good = UserScore("test_1", 1, *[UserSums(100.0, 1)] * 3)
        >>> poor = UserScore("test_2", 1, *[UserSums(0.0, 1)] * 3)
        >>> generalisation_gap([poor], [good], ("test_2", "test_1")).value
        -87.5
    """
    parts = [
        *(Part([*part.users, *[_NOBODY] * len(seen)], part.weight) for part in total_parts(unseen)),
        *(Part([*[_NOBODY] * len(unseen), *part.users], -part.weight) for part in total_parts(seen)),
    ]
    known = [rate * part.weight for part in parts if (rate := ratio(part.users)) is not None]
    return Gap(
        value=rounded(sum(known)) if len(known) == len(parts) else None,
        interval=cut(clustered_interval(parts), -HIGHEST_TOTAL, HIGHEST_TOTAL),
        judged=(_judged(unseen), _judged(seen)),
        users=len(unseen) + len(seen),
        between=between,
    )


def _persona_sums(users: Sequence[UserScore], numbers: dict[tuple[str, int], int]) -> ModelSums:
    """Returns what comparing persona scores needs."""
    return ModelSums([numbers[user.user] for user in users], [Part([user.persona for user in users])])


def _judged(users: Sequence[UserScore]) -> int:
    """Counts the items of all types that have a verdict."""
    return sum(user.persona.items + user.profile.items + user.schedule.items for user in users)
