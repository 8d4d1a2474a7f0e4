"""Which files one process runs where several share the tests: files that look at the same engines go together.

A session has its engines in every process that needs them, and each takes some twenty seconds of processor time to
start.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

ENGINES = frozenset(
    f"tests/engines/{name}.py"
    for name in (
        *("test_adapter_engines", "test_decodings", "test_engines", "test_thinking_engines", "test_window"),
        *("endpoint/test_answers", "endpoint/test_faults", "endpoint/test_interrupts", "endpoint/test_secrets"),
    )
)
"""Their fixtures stand in `tests/engines/conftest.py` and `tests/engines/endpoint/conftest.py`."""


def scope_of(nodeid: str) -> str:
    """Returns what the tests that one process runs have in common.

    Example:
        >>> scope_of("tests/engines/test_window.py::test_x"), scope_of("tests/unit/test_ask.py::test_x")
        ('engines', 'tests/unit/test_ask.py')
    """
    file = nodeid.split("::", 1)[0]
    return "engines" if file in ENGINES else file


class ByWhatIsShared(LoadFileScheduling):
    """Hands out whole files, as `--dist loadfile` does, and those of the engines together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
