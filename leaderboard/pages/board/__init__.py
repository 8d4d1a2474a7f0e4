"""The board: one table at a time, filtered, sorted and cut into pages on the server, its whole state in the address."""
