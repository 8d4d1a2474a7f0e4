"""The board and its scorecards in the forms that other tools read: pure functions of what the page shows."""
