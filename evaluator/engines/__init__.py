"""Engines turn chat messages into text, all behind one small Protocol (`base.py`)."""
