"""Results made of random numbers, for tests of the explorer."""

import numpy as np
import xarray as xr

STEPS = np.array([0, 1, 10, 100, 1000])
X = np.linspace(-2, 2, 31)


def made(seeds=12):
    """Losses and functions over recipe, rate, scale and seed; some trainings diverged."""
    recipes, rates, scales = ["adam", "sgd"], [0.01, 0.1, 1.0, 10.0], [0.5, 1.0, 2.0]
    rng = np.random.default_rng(0)
    shape = (len(recipes), len(rates), len(scales), seeds)
    level = 10 ** rng.normal(-1, 1, shape)
    level[0, -1, :, :3] = np.inf
    level[1, 0, 0, 0] = np.nan
    fall = 1 + 50 * np.exp(-np.arange(len(STEPS)))
    loss = (level[..., None] * fall).astype(np.float32)
    height = np.nan_to_num(level, nan=np.inf)[..., None]
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.where(X == 0, 0, height * np.sin(3 * X))  # infinite times 0 is not wanted
        prediction = (X**2 + off).astype(np.float32)
    dims = ("recipe", "learning_rate", "init_scale", "seed")
    distance = np.maximum(np.abs(X) - 1, 0)
    return xr.Dataset(
        {
            "loss": ((*dims, "step"), 0.9 * loss),
            "test_loss": ((*dims, "step"), loss),
            "prediction": ((*dims, "point", "output"), prediction[..., None]),
        },
        {
            "recipe": recipes,
            "learning_rate": rates,
            "init_scale": scales,
            "seed": np.arange(seeds),
            "step": STEPS,
            "x_test": (("point", "input"), X[:, None]),
            "y_test": (("point", "output"), X[:, None] ** 2),
            "distance": ("point", distance),
        },
        {"fingerprint": "0123456789abcdef"},
    )


def planes(seeds=10):
    """Functions x1 + 2 x2 + seed over a grid of 7 x 5 points, and losses of two rates."""
    runs = made(seeds).isel(recipe=0, init_scale=0, learning_rate=[0, 1], drop=True)
    runs = runs.drop_vars(["prediction", "x_test", "y_test", "distance"])
    first, second = np.meshgrid(np.linspace(-3, 3, 7), np.linspace(0, 1, 5))
    x = np.stack([first.ravel(), second.ravel()], -1)
    rate = np.array([0.0, 100.0])[:, None, None]
    f = x[:, 0] + 2 * x[:, 1] + np.arange(seeds)[:, None] + rate
    return runs.assign(
        prediction=(("learning_rate", "seed", "point", "output"), f[..., None])
    ).assign_coords(x_test=(("point", "input"), x), distance=("point", np.zeros(35)))
