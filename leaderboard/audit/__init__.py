"""Whether every figure on the public board follows from its public rows: needs nothing that is not public."""
