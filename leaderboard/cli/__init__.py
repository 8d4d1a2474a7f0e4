"""The command line `rapport`: what the page can do, and what starts it."""
