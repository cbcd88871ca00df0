"""Prepared: raw data sets made into the files that a user would bring, by fixed rules."""
