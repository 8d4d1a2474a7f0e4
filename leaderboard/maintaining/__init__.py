"""What maintainers do: the log of it, and the state of the site that follows from it."""
