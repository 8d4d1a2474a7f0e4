"""A report in a folder: `report.md` to read, `report.json` for programs, and pictures."""

from __future__ import annotations

from pathlib import Path

from evaluator.human.report.plots import plots
from evaluator.human.report.records import HumanReport
from evaluator.human.report.text import Heading, blocks, markdown

REPORT = "report.md"
DATA = "report.json"


def encode_report(report: HumanReport) -> dict[str, bytes]:
    """Returns the files of a report by their names; equal reports give equal bytes.

    Example:
        >>> list(encode_report(HumanReport(title="Labels", sha="0" * 40, simulated=False, tasks=())))
        ['report.md', 'report.json']
    """
    parts = list(blocks(report))
    pictures = {}
    for name, title, picture in plots(report):
        pictures[name] = picture
        parts += [Heading(2, title), f"![{title}]({name})"]
    return {REPORT: markdown(parts).encode(), DATA: f"{report.model_dump_json(indent=2)}\n".encode(), **pictures}


def save_report(report: HumanReport, folder: Path) -> tuple[Path, ...]:
    """Writes a report to a folder, which is made if it is not there; an earlier report in it is replaced.

    Returns:
        The files, in the order in which they were written.

    Raises:
        OSError: If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in encode_report(report).items():
        (folder / name).write_bytes(content)
        written.append(folder / name)
    return tuple(written)
