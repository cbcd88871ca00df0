"""Cells as texts: grammar, sizes, derivative, rewrites and renderings. Nothing here needs torch."""
