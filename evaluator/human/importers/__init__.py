"""Brings labels that people gave elsewhere into a `human` data set, and says what could not be placed.

Each kind of source has a module that turns its files into events (`events.py`): rows in our own terms, rows that came
to nothing, and remarks. `merging.py` places the rows in the tables that are there, and `importing.py` writes them.
"""
