"""From the archive to the public data sets: one direction, and anything there can be made anew from the archive."""
