"""Preparers: raw data sets to the files that a user would bring, with fixed rules for their test parts."""
