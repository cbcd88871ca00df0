"""Pictures of networks: a cell unrolled in time, in every wiring, and one step of it opened."""
