"""`python -m leaderboard.cli`: the same as `rapport`."""

from leaderboard.cli.main import main

main()
