"""A seeded generator of invented users in the layout of the HiCUPID data set.

It exists so that every part of the benchmark can be installed, tested and shown without the real data set, whose
licence does not let us pass its rows on. All text is written by this project and released with it.

Example:
    >>> from evaluator.hicupid.demo_data import generate_user
    >>> user = generate_user(seed=42, user_id=0, persona_turns=1)
    >>> len(user.turns), len(user.questions)
    (40, 40)
"""

from evaluator.hicupid.demo_data.generator import generate_user
from evaluator.hicupid.demo_data.records import DemoSize, DemoUser
from evaluator.hicupid.demo_data.writer import write_demo_set

__all__ = ["DemoSize", "DemoUser", "generate_user", "write_demo_set"]
