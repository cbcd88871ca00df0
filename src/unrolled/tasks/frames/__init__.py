"""The frames task: a label, several labels or numbers for every step of a sequence."""
