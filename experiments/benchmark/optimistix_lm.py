"""optimistix' Levenberg-Marquardt under vmap on x²: seconds and final errors, as JSON lines.

PYTHON optimistix_lm.py STARTS.npz LIMIT... gives a line for each limit of steps. It is run by
experiments/second_order_speed.py, which writes the starts.
"""

import json
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optimistix

starts = np.load(sys.argv[1])
params = [jnp.asarray(starts[name]) for name in ("w1", "b1", "w2", "b2")]
x = np.linspace(-1, 1, 33, dtype=np.float32)[:, None]


def residuals(params, _):
    """Residuals of ten tanh units on x²."""
    w1, b1, w2, b2 = params
    return (jnp.tanh(x @ w1 + b1) @ w2 + b2 - x**2)[:, 0]


def solve(limit: int):
    """All starts at once, for at most so many steps.

    The tolerances are below what float32 reaches.
    """
    solver = optimistix.LevenbergMarquardt(rtol=1e-12, atol=1e-12)

    def one(params):
        found = optimistix.least_squares(residuals, solver, params, max_steps=limit, throw=False)
        return (residuals(found.value, None) ** 2).mean()

    return jax.jit(jax.vmap(one))


for limit in map(int, sys.argv[2:]):
    run = solve(limit)
    jax.block_until_ready(run(params))
    began = time.perf_counter()
    errors = np.asarray(run(params))
    seconds = time.perf_counter() - began
    said: dict[str, Any] = {
        "limit": limit,
        "seconds": seconds,
        "median": float(np.median(errors)),
        "worst": float(np.quantile(errors, 0.95)),
    }
    said["version"] = f"optimistix {optimistix.__version__}, jax {jax.__version__}"
    print(json.dumps(said), flush=True)
