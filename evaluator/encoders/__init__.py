"""Encoders turn texts into vectors that can be compared, behind one small Protocol (`base.py`)."""
