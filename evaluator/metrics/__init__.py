"""Pure functions from rows to figures: rates, intervals, prefill efficiency."""
