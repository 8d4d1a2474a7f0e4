"""The page of a model and the pages of its answers."""
