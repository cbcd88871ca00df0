"""Data: reading texts, bundled texts, vocabularies, and contiguous streams for truncated BPTT."""
