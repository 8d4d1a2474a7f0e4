"""What `rapport reproduce` finds."""
