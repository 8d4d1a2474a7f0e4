"""The labelling page: a person reads an item, presses a key, and reads the next one.

Plain HTML that works without JavaScript. Who labels is read on the server, from the login's session; a label is taken
for what that person was shown and for nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fastapi.responses import JSONResponse, Response
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.pseudonyms import VARIABLE, load_salt
from leaderboard.labelling.attention import load_attention
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.drawing import drawing_key
from leaderboard.labelling.instructions import instruction_of
from leaderboard.labelling.records import Task
from leaderboard.labelling.service import Labelling, NotAgreed, Progress
from leaderboard.labelling.standing import Standing
from leaderboard.pages.answering import NEVER_KEPT, answered_or_refused, see_other
from leaderboard.pages.identity import person_of
from leaderboard.pages.label_pools import SitePools
from leaderboard.pages.site import shown_page
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.store.base import Store

TITLES: Mapping[Task, str] = {
    Task.VERIFICATION: "Verification",
    Task.RELEVANCE: "Relevance",
    Task.RATING: "Rating",
    Task.PAIRS: "Pairs",
}
"""What each task is called."""
ASKS: Mapping[Task, str] = {
    Task.VERIFICATION: "Does a statement about a user make sense, going by what the user said?",
    Task.RELEVANCE: "Should something that is known of a user change the response to a prompt?",
    Task.RATING: "Which of two answers serves something that is known of a user better, and by how much?",
    Task.PAIRS: "Which of two answers to a question is better for its user?",
}
"""What each task asks."""
KEYS: Mapping[Task, Mapping[str, str]] = {
    Task.VERIFICATION: {"accepted": "a", "uncertain": "u", "rejected": "r"},
    Task.RELEVANCE: {"YES": "y", "NO": "n"},
    Task.RATING: {str(number): str(number) for number in range(1, 6)},
    Task.PAIRS: {"A": "a", "tie": "t", "B": "b"},
}
"""The key of each word."""
LOCAL_ANNOTATOR = "annotator-local"
"""The marked local user's pseudonym: there is nobody whose name it could hide."""
_UNFOLDED_FOR = 3
"""Labels of a task after which its instruction is folded."""


class Visit(NamedTuple):
    """One request, as far as the pages look at it."""

    profile: Mapping[str, object] | None
    """Claims of whoever is logged in."""
    task: str = ""
    form: Mapping[str, str] = {}


class TaskLine(NamedTuple):
    """What the overview says of a task."""

    task: Task
    title: str
    asks: str
    progress: Progress | None
    """None before the consent."""
    keys: tuple[tuple[str, str], ...]


class LabelPages:
    """Answers requests for the labelling page.

    Example:
        >>> LabelPages(settings, redis, results).overview(Visit(profile=None)).status_code  # doctest: +SKIP
        200
    """

    def __init__(
        self,
        settings: Settings,
        redis: Redis | None,
        results: Store,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Keeps labels in Redis; without one the page says that it is closed.

        Raises:
            RapportError: `data_error` if the salt or the file of attention items is none.
        """
        self._labelling: Labelling | None = None
        self._fault = ""
        self._settings, self._pools = settings, SitePools(settings, results)
        self._salt = load_salt(None, settings.data, environment)
        attention = load_attention(settings.data)
        if redis is None or self._closed_by_settings():
            return
        try:
            key = drawing_key(self._salt, settings.data)
        except RapportError as error:
            self._fault = str(error)
        else:
            self._labelling = Labelling(Desk(redis), self._pools.by_task, attention, key, clock)

    def overview(self, visit: Visit) -> Response:
        """What there is to label, the consent, and how far somebody is."""
        values: dict[str, Any] = {"person": None, "annotator": "", "refused": "", "standing": None, "lines": ()}
        pools = self._pools.get()
        values |= {"closed": self._closed(), "problems": pools.problems, "consent": CONSENT}
        values["made_up"] = sorted({pool.data_set for pool in pools.by_task.values() if pool.made_up})
        values["being_saved"] = False
        if not values["closed"] and self._labelling:
            try:
                person = person_of(visit.profile, self._settings)
                annotator = self._annotator(person)
                standing = self._labelling.standing(annotator)
                values |= {"person": person, "annotator": annotator, "standing": standing}
                values["being_saved"] = self._labelling.is_being_saved(annotator)
            except RapportError as error:
                if error.cause is not Cause.FORBIDDEN:
                    raise
                values["refused"] = str(error) if visit.profile else ""
        values["lines"] = self._lines(values["standing"])
        values["can_log_in"] = self._settings.can_log_in
        return shown_page("label.html", here="/label", **values)

    def item(self, visit: Visit) -> Response:
        """The next item of a task."""
        labelling, annotator, task = self._at_work(visit)
        try:
            found = labelling.next(annotator, task)
        except NotAgreed:
            return see_other("/label")
        return shown_page(
            "label_item.html",
            here="/label",
            title=TITLES[task],
            task=task,
            found=found,
            instruction=instruction_of(task),
            keys=KEYS[task],
            unfolded=found.progress.labelled < _UNFOLDED_FOR,
            made_up=labelling.pools()[task].made_up,
        )

    def answer(self, visit: Visit) -> Response:
        """Takes a label, or skips the item."""
        labelling, annotator, task = self._at_work(visit)
        token = visit.form.get("token", "")
        if visit.form.get("skip"):
            labelling.skip(annotator, task, token)
        else:
            labelling.label(annotator, task, token, visit.form.get("word", ""))
        return see_other(f"/label/{task}")

    def back(self, visit: Visit) -> Response:
        """Undoes what somebody did last in a task."""
        labelling, annotator, task = self._at_work(visit)
        labelling.go_back(annotator, task)
        return see_other(f"/label/{task}")

    def agree(self, visit: Visit) -> Response:
        """Notes somebody's consent."""
        labelling, annotator = self._known(visit)
        labelling.agree(annotator, visit.form.get("version", ""))
        return see_other("/label")

    def withdrawal(self, visit: Visit) -> Response:
        """Asks whether somebody really wants to withdraw."""
        labelling, annotator = self._known(visit)
        standing = labelling.standing(annotator)
        return shown_page("label_withdraw.html", here="/label", standing=standing, annotator=annotator)

    def withdraw(self, visit: Visit) -> Response:
        """Withdraws consent and all labels."""
        labelling, annotator = self._known(visit)
        if visit.form.get("sure") != "yes":
            return see_other("/label/withdraw")
        labelling.withdraw(annotator)
        return see_other("/label")

    def mine(self, visit: Visit) -> Response:
        """Somebody's own labels, as a file."""
        labelling, annotator = self._known(visit)
        headers = {**NEVER_KEPT, "Content-Disposition": 'attachment; filename="rapport-labels.json"'}
        return JSONResponse(_own(annotator, labelling.standing(annotator)), headers=headers)

    def _at_work(self, visit: Visit) -> tuple[Labelling, str, Task]:
        """Returns what labels are kept with, who labels, and the task.

        Raises:
            RapportError: `not_found` if there is no such task; as of `_known`.
        """
        if visit.task not in list(Task):
            raise RapportError(Cause.NOT_FOUND, "There is no such task.", "Choose one of those that are listed.")
        return *self._known(visit), Task(visit.task)

    def _known(self, visit: Visit) -> tuple[Labelling, str]:
        """Returns what labels are kept with, and who labels.

        Raises:
            RapportError: `forbidden` if nobody is logged in, or nobody can label here.
        """
        closed = self._closed()
        if closed or self._labelling is None:
            raise RapportError(Cause.FORBIDDEN, f"Labelling is closed: {closed}", "Labels that were given stay.")
        return self._labelling, self._annotator(person_of(visit.profile, self._settings))

    def _closed(self) -> str:
        """Says in a sentence why nobody can label here; empty if somebody can."""
        if closed := self._closed_by_settings():
            return closed
        return "" if self._labelling else self._fault or "this site has no Redis."

    def _closed_by_settings(self) -> str:
        """Says in a sentence why the settings let nobody label; empty if they let somebody."""
        if self._settings.can_log_in:
            return "" if self._salt else f"its maintainers have not set {VARIABLE}, which hides who labels."
        return "" if self._settings.allow_local_user else "nobody can log in here."

    def _annotator(self, person: Person) -> str:
        """Returns somebody's pseudonym.

        Raises:
            RapportError: `forbidden` if there is no secret to make one with.
        """
        if person.name == LOCAL_USER:
            return LOCAL_ANNOTATOR
        if self._salt is None:
            raise RapportError(Cause.FORBIDDEN, "Nobody's name can be hidden here.", f"Maintainers set {VARIABLE}.")
        return self._salt.pseudonym("annotator", person.name)

    def _lines(self, standing: Standing | None) -> tuple[TaskLine, ...]:
        """Returns what the overview says of each task that there is."""
        labelling, shows = self._labelling, standing is not None and standing.may_label()
        return tuple(
            TaskLine(
                task,
                TITLES[task],
                ASKS[task],
                labelling.progress(standing, task) if labelling and standing and shows else None,
                tuple(KEYS[task].items()),
            )
            for task in Task
            if task in self._pools.by_task()
        )


def answered(answer: Callable[[Visit], Response], visit: Visit) -> Response:
    """Returns an answer, or the page that says why there is none."""
    return answered_or_refused(lambda: answer(visit), "Labelling is closed right now", "No label was lost.")


def _own(annotator: str, standing: Standing) -> dict[str, Any]:
    """Returns what a person may take along: all own labels but those on attention items, which it so does not tell."""
    return {
        "annotator": annotator,
        "left_out": "Labels on items whose answer is known are not among these.",
        "consent": standing.agreed and standing.agreed.version,
        "consented_at": standing.agreed_at and standing.agreed_at.isoformat(),
        "withdrawn_at": standing.withdrew_at and standing.withdrew_at.isoformat(),
        "labels": [
            {
                "data_set": given.label.asked.data_set,
                "data_sha": given.label.asked.data_sha,
                "task": given.label.asked.task,
                "item_id": given.label.asked.item_id,
                "word": given.label.word,
                "order": given.label.asked.order,
                "seconds": given.label.seconds,
                "created_at": given.at.isoformat(),
                "wording": given.label.wording,
                "consent": given.label.consent,
                "licence": given.label.licence,
            }
            for given in standing.labels
            if given.label.asked.attention is None
        ],
    }
