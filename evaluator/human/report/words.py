"""What a report calls things: whatever could be taken for people's is called simulated where it is."""

from __future__ import annotations

from collections.abc import Mapping

from evaluator.human.figures import CLASSES, NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.report.records import Task

_CLASSES = {
    f"single_kappa.{ONE_MORE_HUMAN}": "mean kappa, {one} against single others",
    f"single_kappa.{NOISE_CEILING}": "noise ceiling of it: no rater can pass this{mark}",
    "alpha": "Krippendorff's alpha (nominal, two classes) among {many}",
    f"kappa.{ONE_MORE_HUMAN}": "kappa, {one} against the majority of the others",
    f"kappa.{NOISE_CEILING}": "noise ceiling of it{mark}",
    f"f1.{ONE_MORE_HUMAN}": "F1, {one} against the majority of the others",
    f"f1.{NOISE_CEILING}": "noise ceiling of it{mark}",
    f"matthews.{ONE_MORE_HUMAN}": "Matthews, {one} against the majority of the others",
    f"matthews.{NOISE_CEILING}": "noise ceiling of it{mark}",
}
_RATINGS = {
    f"spearman_within_annotators.{ONE_MORE_HUMAN}": "Spearman within {many}, {one} against the mean of the others",
    f"spearman_within_annotators.{NOISE_CEILING}": "noise ceiling of it: no rater can pass this{mark}",
    "alpha": "Krippendorff's alpha (ordinal) among {many}",
    f"kendall_within_annotators.{ONE_MORE_HUMAN}": "Kendall within {many}, {one} against the mean of the others",
    f"kendall_within_annotators.{NOISE_CEILING}": "noise ceiling of it{mark}",
    f"mean_absolute_error.{ONE_MORE_HUMAN}": "mean absolute error, {one} against the mean of the others",
    f"mean_absolute_error.{NOISE_CEILING}": "least error: no rater can go below this{mark}",
}


class Words:
    """What things are called.

    Example:
        >>> Words(simulated=True).title("Label balance"), Words(simulated=False).title("Label balance")
        ('Label balance (simulated)', 'Label balance')
    """

    def __init__(self, simulated: bool) -> None:
        """Calls things simulated, or not."""
        made = "simulated " if simulated else ""
        self.mark = " (simulated)" if simulated else ""
        self.label, self.labels = f"{made}label", f"{made}labels"
        self.people = f"{made}people"
        self.annotator, self.annotators = f"{made}annotator", f"{made}annotators"
        self.others, self.nobody = f"other {made}annotators", f"no {made}annotator"
        self._one = "one more simulated annotator" if simulated else "one more human"
        others, everyone = self.others, f"all {self.annotators} of a task"
        self.rules = (
            f"*{self._one.capitalize()}* is what {self.annotators} reach against the {others}, none of them against "
            f"himself. *Noise ceiling*{self.mark}: what no rater can pass on these very items; it is left out against "
            f"majorities of the {others} where it is 1 whatever they say.",
            f"An *interval*{self.mark} speaks of other users under the same {self.annotators} and prompts, which count "
            "as given.",
            f"*Shared* are the items that {others} labelled as well, and *apart* is his share, or mean, less theirs on "
            f"these. Kappa is with the majority of the {others}, tied items left out; Spearman is with their mean.",
            f"An *outlier*{self.mark} is farther from the mean of the {others}, in how far he is apart or in his "
            "agreement, than his own error and their standard deviation allow together (Welch's test; Holm at 5 % over "
            f"{everyone}). It takes three {self.annotators} with 30 shared items of ten users.",
            f"He *drifts*{self.mark} if either change from the first half of his labels to the second is not chance "
            f"(t test clustered by user; Holm at 5 % over {everyone}). It takes 30 shared items of ten users in each "
            "half.",
            f"How many labels would halve an interval{self.mark} is estimated from what leaving out half of the items "
            "of each user costs; further labels are on further items, with as many labels an item as now.",
        )

    def title(self, text: str) -> str:
        """Returns a title that says whose labels these are."""
        return text if "simulated" in text else text + self.mark

    def classes(self, task: Task) -> str:
        """Says what figures of agreement are about: the two classes of a task, or ratings.

        Example:
            >>> Words(simulated=False).classes(Task.VERIFICATION)
            'Of two classes: problematic (uncertain or rejected), and accepted. F1 is of the first.'
        """
        if task is Task.RATING:
            return "Of ratings from 1 to 5."
        named = CLASSES[task.value]
        return f"Of two classes: {named.matters}, and {named.other}. F1 is of the first."

    def figures(self, task: Task) -> Mapping[str, str]:
        """Returns what the figures of agreement are called, in the order in which they are shown."""
        told = _RATINGS if task is Task.RATING else _CLASSES
        return {name: text.format(one=self._one, many=self.annotators, mark=self.mark) for name, text in told.items()}
