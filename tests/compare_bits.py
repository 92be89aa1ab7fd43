"""Are the results of two checkouts the same to the bit?

    PYTHONPATH=BEFORE python tests/compare_bits.py make before.npz
    PYTHONPATH=AFTER python tests/compare_bits.py make after.npz
    python tests/compare_bits.py compare before.npz after.npz

`make` runs a sample of tasks, models, optimisers and options through `ap.run` of the checkout that
PYTHONPATH names, and stores every variable and the fingerprint of each. It takes one to two
minutes, and is run on one machine, as bits depend on the processor. A change of the program's text
alone changes the fingerprints and nothing else.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def cases() -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """A name, a task, a recipe and the options of `ap.run` for each case."""
    import jax.numpy as jnp
    import optax

    import approx as ap

    square, sine = ap.tasks.square(range=1.0), ap.tasks.sine()
    bump = ap.tasks.interval(standardise=True, loss="brier")
    nnet = ap.MLP((2,), "sigmoid", initializer="nnet")
    double = {"dtype": "float64", "steps": 20}

    def recipe(model=None, steps=40, **options):
        return ap.Recipe(model=model or ap.MLP((8,), "tanh"), steps=steps, **options)

    yield "tanh", ap.tasks.square(), recipe(ap.MLP((10,), "tanh"), learning_rate=3e-2), {}
    relu = ap.MLP((8, 8), "relu")
    yield "sgd by epochs", square, recipe(relu, optimizer="sgd", batch_size=7), {}
    yield "order", sine, recipe(ap.MLP((16, 16), "sin"), batch_size=16, batches="order"), {}
    drawn = {"batch_size": 16, "batches": "replacement", "learning_rate": 0.01}
    yield "replacement", sine, recipe(ap.MLP((16,), "gelu"), optimizer="momentum", **drawn), {}
    stream = recipe(batches="stream", batch_size=8)
    yield "stream", ap.tasks.sine(noise=0.1), stream, {}
    bits = recipe(ap.MLP((3,), "sigmoid"), optimizer="rmsprop", batch_size=32)
    yield "interval", ap.tasks.interval(), bits, {}
    yield "lm", bump, recipe(nnet, optimizer="lm", **double), {}
    yield "bfgs with l2", bump, recipe(nnet, optimizer="bfgs", l2=1e-4, **double), {}
    yield "lbfgs", square, recipe(optimizer="lbfgs", steps=20), {}
    yield "lm with l2", square, recipe(optimizer="lm", l2=1e-3, steps=20), {}
    yield "lm by vmap", square, recipe(optimizer="lm", steps=10), {"form": "vmap"}
    yield "columns", square, recipe(ap.MLP((40, 40), "tanh"), steps=20), {"form": "columns"}
    for form in ("vmap", "lanes"):
        dropped = recipe(ap.MLP((8, 8), "relu", dropout=0.2))
        yield f"dropout by {form}", square, dropped, {"form": form}
    classes = ap.MLP((24,), "relu", outputs=ap.tasks.waveform().classes)
    yield "waveform", ap.tasks.waveform(), recipe(classes, steps=20, batch_size=32), {}
    clustered = recipe(ap.MLP((4,), "sigmoid", outputs=4), steps=20, batch_size=50)
    yield "clusters", ap.tasks.clusters(), clustered, {}
    scheduled = recipe(ap.MLP((8, 8), "tanh"), schedule="cosine", l2=1e-3, l2_on="hidden")
    yield "schedule", square, scheduled, {}
    everything = ("prediction", "params", "gradient_norm", "weight_norm")
    linear = recipe(ap.MLP((8,), "snake"), schedule="linear", dtype="float64")
    yield "all that is kept", square, linear, {"keep": everything, "keep_at": (0, 40)}
    yield "optax", square, recipe(optimizer=optax.lion(1e-3), learning_rate=None), {}
    siren = recipe(ap.MLP((8,), "sin", initializer="siren"))
    yield "siren", ap.tasks.square(), siren, {}
    grid = {"learning_rate": [1e-3, 1e-2], "init_scale": [0.5, 1.0, 2.0], "freeze": ("init",)}
    yield "grid", ap.tasks.square(range=1.0, noise=0.1), recipe(), grid
    uniform = ap.tasks.square(range=1.0, inputs="uniform", size=40)
    yield "cross", uniform, recipe(batch_size=8), {"seeds": 1, "cross": {"init": 3, "data": 2}}

    def at_zero(params, predict):
        return predict(jnp.zeros((1, 1)))[0, 0]

    hat = ap.task(lambda x: np.maximum(0, 1 - abs(x)), x=np.linspace(-2, 2, 41))
    yield "own function", hat, recipe(), {"metrics": {"at_zero": at_zero}}
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.abs(x).sum(1)
    own = ap.given(x[:50], y[:50], x[50:], y[50:], validation=0.2, hold_out="random")
    yield "own data", own, recipe(batch_size=10), {}


def make(path: str) -> None:
    """Run all cases and store what came out."""
    import approx as ap

    found = {}
    for name, task, recipe, options in cases():
        runs = ap.run(task, recipe, **{"seeds": 3, "progress": False} | options)
        for variable in runs.variables:
            found[f"{name}/{variable}"] = np.asarray(runs[variable].values)
        found[f"{name}/fingerprint"] = np.array(runs.attrs["identity"])
        print(name, flush=True)
    np.savez(path, **found)


def compare(before: str, after: str) -> int:
    """Say what differs; the exit status."""
    first, second = np.load(before), np.load(after)
    only_one = sorted(set(first.files) ^ set(second.files))
    both = [name for name in first.files if name in second.files]
    differ = []
    for name in both:
        a, b = first[name], second[name]
        if a.dtype != b.dtype or a.tobytes() != b.tobytes():
            differ.append(name)
    print(f"{len(both) - len(differ)} of {len(both)} arrays are the same to the bit")
    print(f"different: {', '.join(differ) or 'none'}; in one only: {', '.join(only_one) or 'none'}")
    return 1 if differ or only_one else 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        sys.exit(compare(*sys.argv[2:4]))
