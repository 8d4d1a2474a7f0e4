"""Tests of re-scores: every run judged by another judge."""
