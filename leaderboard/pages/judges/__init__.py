"""The board of judges: why each of them deserves trust, or does not."""
