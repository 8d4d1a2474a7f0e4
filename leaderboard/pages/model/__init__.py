"""The page of a model with its scores by slice and its history, and the pages of its single answers."""
