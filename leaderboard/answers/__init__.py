"""Single answers of one run under one judge, and what they come to by slice and in pairs: from public rows alone."""
