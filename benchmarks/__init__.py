"""Measurements, one module a `make bench-*`; tests assert, benchmarks measure."""
