"""The board: pure functions from stored scorecards to ranked rows."""
