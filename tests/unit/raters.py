"""Simulated annotators of known skill, and tables that hypothesis makes up."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def tables(values=(0.0, 1.0), most_items=12, most_raters=5):
    """Tables of labels with gaps, (items, raters)."""
    labels = st.sampled_from((*values, np.nan))
    shapes = st.tuples(st.integers(1, most_items), st.integers(1, most_raters))
    return shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=labels))


def vectors(values, size):
    """Label vectors with gaps."""
    return arrays.arrays(np.float64, size, elements=st.sampled_from((*values, np.nan)))


@st.composite
def raters_among_annotators(draw, values=(0.0, 1.0), most_items=12, most_raters=5):
    """A table and a rater of the same items."""
    table = draw(tables(values, most_items, most_raters))
    return table, draw(vectors(values, len(table)))


def truth(random, items, share=0.2):
    """Classes 1 and 0."""
    return (random.random(items) < share).astype(float)


def labelled(random, classes, found=0.8, right=0.95):
    """Labels of one who finds so many of class 1 and is right about so many of class 0."""
    hit = np.where(classes == 1, random.random(len(classes)) < found, random.random(len(classes)) >= right)
    return hit.astype(float)


def annotators(random, classes, count, found=0.8, right=0.95):
    """A table of as many annotators of the same skill."""
    return np.stack([labelled(random, classes, found, right) for _ in range(count)], axis=1)


def spread_over(random, table, columns):
    """The same labels, given by more annotators: each item's by some of them, drawn at random."""
    wide = np.full((len(table), columns), np.nan)
    for item, labels in enumerate(table):
        wide[item, random.choice(columns, len(labels), replace=False)] = labels
    return wide
