"""Pages of objections: the form beside an answer, and what has become of those that somebody made or is met with."""
