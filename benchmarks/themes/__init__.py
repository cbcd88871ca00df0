"""The themes: each file measures one thing and gives a Report."""
