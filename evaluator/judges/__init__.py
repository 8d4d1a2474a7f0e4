"""Judges compare an answer with gold and speak a verdict; each is a directory of data, not code."""
