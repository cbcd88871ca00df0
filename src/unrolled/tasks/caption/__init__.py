"""Caption: a network that looks at a picture and writes what it shows."""
