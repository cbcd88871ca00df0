"""The forecast task: what comes next in series of numbers, and how sure that is."""
