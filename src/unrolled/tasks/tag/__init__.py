"""Tag: a network that gives each word of a sentence its tag."""
