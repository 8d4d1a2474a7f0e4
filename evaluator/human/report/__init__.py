"""A data set's own report: how far its annotators agree, who stands out, and what more labels would bring.

`build.py` makes the figures, `text.py` and `plots.py` show them, and `saving.py` writes both to a folder.
"""

from evaluator.human.report.build import human_report
from evaluator.human.report.records import HumanReport, TaskReport

__all__ = ["HumanReport", "TaskReport", "human_report"]
