"""Faults, tested by really doing them: real processes, a real Redis, a real store, real signals."""
