"""The page that holds two to four results against each other, on the items that all of them have judged."""
