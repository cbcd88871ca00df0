"""Running a cell over time: the door (scan), the loop that defines what is right, and the derived backward pass."""
