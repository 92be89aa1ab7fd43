"""The problem of problem.md, and what the Python recorders share."""

import json

import numpy as np

X = np.array([[np.sin(2 * r + 3 * c) for c in range(2)] for r in range(6)])
Y = np.array([[0.5 + 0.4 * np.cos(r + 2 * o) for o in range(2)] for r in range(6)])
START = 0.5 * np.sin(3 * np.arange(17) + 1)
SHAPES = {"w1": (2, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}
ENDS = (6, 9, 15)
SHARES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


def parts(flat):
    """The four arrays of a flat vector of parameters."""
    pieces = np.split(np.asarray(flat, float), ENDS)
    return {name: p.reshape(SHAPES[name]) for name, p in zip(SHAPES, pieces, strict=True)}


def flat(w1, b1, w2, b2):
    """The parameters in the order of problem.md, nine digits each."""
    values = np.concatenate([np.ravel(part) for part in (w1, b1, w2, b2)])
    return [float(f"{value:.9g}") for value in values]


def firsts(draw, count=2000):
    """Quantiles of each array over many first weights; `draw()` gives the four arrays."""
    drawn = [draw() for _ in range(count)]
    found = {}
    for n, name in enumerate(SHAPES):
        values = np.concatenate([np.ravel(each[n]) for each in drawn])
        found[name] = [float(f"{q:.6g}") for q in np.quantile(values, SHARES, method="nearest")]
    return found


def say(name, version, cases, init, **more):
    """Print one framework's numbers."""
    print(json.dumps({name: {"version": version, "cases": cases, "init": init, **more}}))
