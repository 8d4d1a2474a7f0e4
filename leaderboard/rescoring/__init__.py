"""Re-scoring: every run judged by another judge, seen before it is promoted, without one answer generated again."""
