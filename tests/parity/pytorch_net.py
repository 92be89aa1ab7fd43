"""x² with ten tanh units in PyTorch: the last mean squared errors, and the objects as dictionaries.

It prints JSON. Called by compare.py in an environment with torch and numpy alone.
"""

import json
import sys
import time

import torch
from objects import load
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X = torch.linspace(-1, 1, 21)[:, None]
Y = X**2
EPOCHS, SIZE = 60, 8


def made():
    """Module, optimiser and loss of a user's script."""
    module = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
    return module, torch.optim.Adam(module.parameters(), lr=0.03), nn.MSELoss()


def main(seeds: int) -> None:
    torch.set_num_threads(1)
    said = load("pytorch").described(*made())
    losses, begun = [], time.perf_counter()
    for seed in range(seeds):
        torch.manual_seed(seed)
        module, optimizer, loss = made()
        loader = DataLoader(TensorDataset(X, Y), batch_size=SIZE, shuffle=True)
        for _ in range(EPOCHS):
            for x, y in loader:
                optimizer.zero_grad()
                loss(module(x), y).backward()
                optimizer.step()
        with torch.no_grad():
            losses.append(loss(module(X), Y).item())
    fit = {"epochs": EPOCHS, "batch_size": SIZE, "shuffle": True}
    taken = time.perf_counter() - begun
    print(json.dumps({"losses": losses, "seconds": taken, "said": said, "fit": fit}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
