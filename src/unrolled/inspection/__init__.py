"""Looking inside: what a network's gates, states and gradients do."""
