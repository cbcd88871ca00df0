"""Training: truncated backpropagation through time with carried state, budgets, checkpoints that resume exactly."""
