"""Layers: a cell made trainable over sequences, stacked and in both directions; weights from and to torch.nn."""
