"""A seeded generator of a data set in the layout `human`: invented users, and labels of simulated annotators.

It exists so that every part can be installed, tested and shown without people's labels. Nothing in it may be taken for
them: every label says that it is simulated, and so does the card.
"""

from evaluator.human.demo_data.generator import Demo, generate_demo
from evaluator.human.demo_data.sizes import DECLARED, SEED, SMALL, DemoSize
from evaluator.human.demo_data.writer import ANNOTATORS, demo_tables, write_demo_human_set

__all__ = [
    "ANNOTATORS",
    "DECLARED",
    "SEED",
    "SMALL",
    "Demo",
    "DemoSize",
    "demo_tables",
    "generate_demo",
    "write_demo_human_set",
]
