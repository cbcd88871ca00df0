"""Tasks: what people come with, each one estimator that trains, evaluates, saves and loads."""
