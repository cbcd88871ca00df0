"""The same layers through a rewritten cell: other equations over the very same parameters."""

import torch

from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent


def recast(layer: Recurrent, cell: Cell) -> Recurrent:
    """Layers like ``layer``, sizes, directions and mode too, of another cell; parameters are shared, not copied.

    Args:
        layer: Whose parameters are used.
        cell: Made by a rewrite of ``layer.cell`` that leaves its parameters as they are.

    Raises:
        UsageError: the cell has other parameters.
    """
    with torch.device("meta"):
        other = Recurrent(
            cell,
            layer.input_size,
            layer.hidden_sizes,
            layer.num_layers,
            bidirectional=len(layer.directions) > 1,
            dropout=layer.dropout.p,
            residual=layer.residual,
            sizes=layer.sizes,
            backend=layer.backend,
            checkpoint=layer.checkpoint,
        )
    for index in range(layer.num_layers):
        for direction in layer.directions:
            own, theirs = layer.one(index, direction), other.one(index, direction)
            if own.shapes.keys() != theirs.shapes.keys():
                have, wants = ", ".join(own.shapes), ", ".join(theirs.shapes)
                raise UsageError(f"cell {cell.name} wants the parameters {wants}, and these layers have {have}.")
            for name in own.shapes:
                theirs._parameters[name] = getattr(own, name)
    return other.train(layer.training)
