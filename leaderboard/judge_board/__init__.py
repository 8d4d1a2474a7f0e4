"""The board of judges, worked out from the archive: labels of people, qualities of judges, and where both are kept."""
