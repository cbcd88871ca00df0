"""Wirings: how input, recurrence and output are joined into a network."""
