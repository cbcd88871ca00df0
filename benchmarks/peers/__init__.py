"""The peers: each file builds contenders of one kind; ``table`` says which peer computes which cell."""
