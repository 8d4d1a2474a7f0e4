"""What keeps the stores sound: looking at all of them, bringing them up to date, and taking something out for good."""
