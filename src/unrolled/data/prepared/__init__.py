"""Public data sets made into the files that a user would bring."""
