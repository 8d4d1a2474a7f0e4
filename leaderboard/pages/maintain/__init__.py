"""The pages on which maintainers work: what waits, what is odd, what judges would change, and who did what."""
