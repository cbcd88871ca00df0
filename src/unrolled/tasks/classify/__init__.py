"""Classify: one class for a whole sequence; of a text, of numbers over time, of a picture's rows, of a sound."""
