"""`rapport evaluate`: a whole plan on one machine, with no Redis and no page; a folder of plain files is its store."""
