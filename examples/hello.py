"""The lectures' own example: a network of five units learns to spell "hello", and we look at what it expects.

The words are made of {h, e, l, o, □}; □ ends a word. Each letter goes in as a one-hot vector, a tanh network with
five hidden units reads it, and a softmax says which letter comes next. It is trained by backpropagation through time,
over the whole word at once. The same numbers then come from the trained parameters by hand-written NumPy.

Run it: python examples/hello.py
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from unrolled import Cell, ManyToMany, Recurrent
from unrolled.wirings.tokens import OneHot, TokenScores

LETTERS = "helo□"
WORD = "hello□"
CELL = Cell("tanh", "h' = tanh(U @ x + W @ h + b)")


def train(steps: int = 300, seed: int = 0) -> ManyToMany:
    """A network that has learned which letter follows which in "hello"."""
    torch.manual_seed(seed)
    ids = torch.tensor([[LETTERS.index(letter) for letter in WORD]])  # (1, 6)
    network = ManyToMany(OneHot(len(LETTERS)), Recurrent(CELL, len(LETTERS), 5), TokenScores(5, len(LETTERS)))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(steps):
        scores = network(ids[:, :-1]).outputs  # (1, 5, V)
        loss = cross_entropy(scores.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def probabilities(network: ManyToMany, word: str) -> np.ndarray:
    """What the network expects after each letter of a word: (T, V)."""
    ids = torch.tensor([[LETTERS.index(letter) for letter in word]])
    with torch.inference_mode():
        return torch.softmax(network(ids).outputs[0], -1).numpy()


def by_hand(network: ManyToMany, word: str) -> np.ndarray:
    """The same from the trained parameters, as one would write it on the blackboard."""
    cell = {name: value.detach().double().numpy() for name, value in network.recurrent.cell_parameters().items()}
    output = network.output_side.linear
    assert isinstance(output, nn.Linear)
    V, c = output.weight.detach().double().numpy(), output.bias.detach().double().numpy()
    h, rows = np.zeros(5), []
    for letter in word:
        x = np.array([float(letter == other) for other in LETTERS])
        h = np.tanh(cell["U"] @ x + cell["W"] @ h + cell["b"])
        scores = np.exp(V @ h + c)
        rows.append(scores / scores.sum())
    return np.array(rows)


def main() -> None:
    """Train, and print the table of the lecture."""
    network = train()
    table = probabilities(network, "hello")
    print("after      " + "".join(f"{letter:>8}" for letter in LETTERS) + "   expects")
    for index, row in enumerate(table, 1):
        expected = LETTERS[int(row.argmax())]
        print(f"{WORD[:index]:<11}" + "".join(f"{number:8.4f}" for number in row) + f"   {expected}")
    print(f"\nby hand, in NumPy: the largest difference is {np.abs(table - by_hand(network, 'hello')).max():.1e}")


if __name__ == "__main__":
    main()
