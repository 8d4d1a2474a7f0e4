"""The page of human agreement: one task at a time, and all figures of one scorecard."""
