"""Prepared data: raw sets of the data folder as the files that a user would bring, by fixed rules."""
