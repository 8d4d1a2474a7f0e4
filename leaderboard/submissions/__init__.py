"""Submissions: their records, checks, states and the ledger that remembers every transition."""
