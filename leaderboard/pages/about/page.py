"""What the page is told: of the method nothing that another module knows better, of the site what its settings say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from evaluator.hicupid.data import SEASON
from evaluator.hicupid.scoring import HIGHEST_TOTAL
from evaluator.judges.canaries import BOUNDS, Canary
from evaluator.metrics.intervals import LEAST_USERS
from evaluator.protocol import hicupid_protocol, load_protocol, protocol_ids
from leaderboard.open_data.configs import RESULTS
from leaderboard.open_data.papers import PAPERS
from leaderboard.pages.about.changelog import CHANGES, Change
from leaderboard.pages.about.examples import Examples, examples
from leaderboard.pages.about.findings import FINDINGS, Finding
from leaderboard.pages.about.sections import SECTIONS, Section
from leaderboard.pages.about.terms import TERMS, Term
from leaderboard.pages.judges.words import CANARIES, FIGURES, bound_words, canary_name
from leaderboard.people import LOCAL_USER
from leaderboard.scorecards import LEAST_JUDGED_SHARE
from leaderboard.settings import Settings
from leaderboard.store.open import repositories

OFFICIAL_PROTOCOL = "official-v1"
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "official": "Its verdicts decide ranks. A protocol has one at a time.",
        "candidate": "It is being looked at; none of its results count.",
        "retired": "It decided ranks before. What it said stays, and the board can be seen under it.",
        "demo": "It is there for trying the site, and ranks nothing.",
    }
)
"""What a judge may be."""
_ORGANISATION = "org:"
_QUESTIONS_OF_A_USER = 40
"""In HiCUPID: 25 on persona, 5 on profile, 10 on schedules."""


class ProtocolShown(NamedTuple):
    """One protocol."""

    id: str
    title: str
    official: bool
    asked: bool
    """Whether this site asks it of what is submitted."""


class Check(NamedTuple):
    """One canary of judges that compare."""

    name: str
    says: str
    bounds: tuple[str, ...]


class Maintainer(NamedTuple):
    """Somebody who maintains the site, or everybody in an organisation."""

    name: str
    everybody: bool
    """Whether it is an organisation."""
    address: str
    """Of the page on the Hub; empty for the development's local user."""


class About(NamedTuple):
    """Everything that the page shows."""

    sections: Sequence[Section]
    terms: Mapping[str, Term]
    examples: Examples
    highest: float
    least_users: int
    least_judged: float
    """In %."""
    questions: int
    """Of the official protocol."""
    users: int
    """Of the same."""
    protocols: Sequence[ProtocolShown]
    statuses: Mapping[str, str]
    checks: Sequence[Check]
    findings: Sequence[Finding]
    citation: str
    papers: Sequence[str]
    results: str
    """Name of the public data set on the Hub; empty where results lie in a folder."""
    configs: Sequence[tuple[str, str]]
    """Name of each of its parts, and what a row is."""
    site: str
    """The site's own address; empty where it is not known."""
    maintainers: Sequence[Maintainer]
    changes: Sequence[Change]


def about(settings: Settings, changes: Sequence[Change] = CHANGES) -> About:
    """Lays out the page.

    Args:
        settings: Which protocols the site asks, where its results are, and who maintains it.
        changes: What readers notice of its changes, newest first.

    Raises:
        RapportError: `infrastructure` if the Hub could have no data sets by the name that the settings say.
    """
    official = hicupid_protocol(OFFICIAL_PROTOCOL)
    questions = official.items or 0
    site = (settings.site_url or "").rstrip("/")
    return About(
        sections=SECTIONS,
        terms=TERMS,
        examples=examples(),
        highest=HIGHEST_TOTAL,
        least_users=LEAST_USERS,
        least_judged=100 * LEAST_JUDGED_SHARE,
        questions=questions,
        users=questions // _QUESTIONS_OF_A_USER,
        protocols=_protocols(settings.protocols),
        statuses=STATUSES,
        checks=_checks(),
        findings=FINDINGS,
        citation=citation(site),
        papers=PAPERS,
        results=repositories(settings.store).results if settings.store else "",
        configs=[(config.name, config.about) for config in RESULTS],
        site=site,
        maintainers=[_maintainer(name) for name in settings.maintainers],
        changes=changes,
    )


def citation(site: str) -> str:
    """Returns how to cite the site as such, as BibTeX.

    Args:
        site: Its address, of which no sign is to mean anything to TeX; empty if there is none.

    Example:
        >>> print(citation("https://rapport.example"))
        @misc{rapport2026,
          title  = {Rapport: a leaderboard for personalised assistants},
          author = {{Rapport}},
          year   = {2026},
          url    = {https://rapport.example},
        }
    """
    fields = {
        "title": "Rapport: a leaderboard for personalised assistants",
        "author": "{Rapport}",
        "year": SEASON,
        "url": quote(site, safe=":/?=.-"),
    }
    lines = "".join(f"  {name:<6} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{rapport{SEASON},\n{lines}}}"


def _protocols(asked: Sequence[str]) -> list[ProtocolShown]:
    """Lists all protocols: those that the site asks first, and of these the official ones."""
    every = map(load_protocol, protocol_ids())
    shown = [ProtocolShown(each.id, each.title, each.official, each.id in asked) for each in every]
    return sorted(shown, key=lambda each: (not each.asked, not each.official, each.id))


def _checks() -> list[Check]:
    """Lists the canaries of judges that compare, with what each must keep to."""
    bounds: dict[Canary | None, list[str]] = defaultdict(list)
    for (canary, name), bound in BOUNDS.items():
        bounds[canary].append(f"{FIGURES[name]}: {bound_words(bound)}")
    return [Check(canary_name(canary), CANARIES[canary], tuple(told)) for canary, told in bounds.items()]


def _maintainer(entry: str) -> Maintainer:
    """Names one of those who maintain."""
    name = entry.removeprefix(_ORGANISATION)
    address = "" if entry == LOCAL_USER else f"https://huggingface.co/{quote(name, safe='')}"
    return Maintainer(name, entry != name, address)
