"""Text: a network that reads a text and says what comes next, by characters, words or byte pairs."""
