"""Toy tasks: sequences made by rule, with what a guess without memory scores, and what is known of those who learn."""
