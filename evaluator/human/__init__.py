"""The human-grounded stages: how far a model agrees with people on what a user is like and what that should change."""
