"""Translate: a network that reads a sequence of tokens and writes another; languages, spellings, sounds."""
