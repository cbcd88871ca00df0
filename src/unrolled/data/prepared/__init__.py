"""Preparers: raw data sets to the files that a user would bring, with fixed rules for their test parts."""
"""Prepared: what recipes read, made of data sets as they are published."""
