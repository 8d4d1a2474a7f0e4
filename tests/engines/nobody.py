"""Runs a module as somebody who is not root and has no powers: `python -m tests.engines.nobody MODULE`, as root.

Neither confined nor hindered, but that programs in folders of root's own are laid open to be read.
"""

from __future__ import annotations

import os
import sys
import tempfile

from evaluator.engines.confine import Plan, _become, _card_groups, _group, _leave_files, _User
from evaluator.engines.launch import NOBODY, _code


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, NOBODY, -1)
        pid = os.fork()
        if pid == 0:
            user = _User(NOBODY, _group(NOBODY), _card_groups())
            plan = Plan(sys.argv[1], home, (), tuple(_code()), (), NOBODY)
            _leave_files(plan, user)
            _become(user, plan)
            os.environ |= {"HOME": home, "TMPDIR": home, "PYTHONPATH": os.getcwd()}
            os.execv(sys.executable, [sys.executable, "-P", "-m", plan.module])
        _, status = os.waitpid(pid, 0)
        sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
