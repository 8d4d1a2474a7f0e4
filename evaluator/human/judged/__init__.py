"""Tasks in which a model writes and a judge reads: what is asked of both, and what that comes to."""
