"""The page of plots: each is a pure function of what the board is by now, a table first and a drawing of it second."""
