"""The library of cells: one family a file, each cell its equations, its paper and a sensible beginning."""
