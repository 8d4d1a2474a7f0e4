"""The other end of `client`: reads a pickled call, makes it, writes the pickled outcome."""

from __future__ import annotations

import os
import pickle
import sys
import traceback

from evaluator.errors import RapportError
from tests.hub_server.client import Failure


def main() -> None:
    # Whatever the code under test prints must not end up inside the outcome.
    outcome_file = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        function, args, kwargs = pickle.load(sys.stdin.buffer)
        outcome = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 Whatever it is, the test decides what it thinks of it.
        traceback.print_exc()
        outcome = Failure(type(error).__name__, error.cause if isinstance(error, RapportError) else None, str(error))
    with outcome_file:
        pickle.dump(outcome, outcome_file)


if __name__ == "__main__":
    main()
