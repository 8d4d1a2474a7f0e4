"""Whether scorecards of human-grounded tasks follow from public rows, and from labels where these are at hand."""
