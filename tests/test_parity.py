"""Promise: other frameworks' conventions, to rounding, against numbers recorded from them by
recorded/record.py.
"""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import QUICK

import approx as ap

HERE = Path(__file__).parent / "recorded"
KERAS = json.loads((HERE / "keras.json").read_text())["cases"]
TORCH = json.loads((HERE / "torch.json").read_text())["cases"]
TRAIN = jax.jit(ap.train, static_argnames="keep", compiler_options=QUICK)
RATE = {"sgd": 0.1, "momentum": 0.1, "nesterov": 0.1}  # the others were recorded at 0.03

X = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
PARAMS = [
    {"w": np.array([[0.5, -0.8, 1.1]]), "b": np.array([0.1, -0.2, 0.3])},
    {"w": np.array([[0.7], [-0.4], [0.9]]), "b": np.array([0.05])},
]


def ten_steps(case: str, run: bool):
    """The same ten steps here: the batch losses and the final parameters."""
    name, *variant = case.split(" ", 1)
    variant = variant[0] if variant else ""
    scale = np.float32(1e-6 if variant == "tiny" else 1)
    options = {"steps": 10}
    if "batches" in variant:
        options = {"batch_size": 3, "batches": "order", "steps": 30}
    if "l2" in variant:
        options["l2"] = 0.05
    if "hidden" in variant:
        options["l2_on"] = "hidden"
    recipe = ap.Recipe(
        model=ap.MLP((3,)),
        optimizer=name,
        learning_rate=RATE.get(name, 0.03),
        records=range(0, options["steps"] + 1, options["steps"] // 10),
        **options,
    )
    task = ap.given(X, (X**2 - np.float32(0.3) * X).astype(np.float32) * scale)
    start = [PARAMS[0], {k: v * scale for k, v in PARAMS[1].items()}]
    if run:  # where every number is traced, and lanes do the arithmetic
        runs = ap.run(
            task, recipe, seeds=1, lanes=8, keep=("params",), init_params=start, progress=False
        )
        return runs.batch_loss.values[0, 1:], ap.params(runs, seed=0)
    trace = TRAIN(jax.random.key(0), task, recipe, keep=ap.Keep(("params",)), params=start)
    return np.asarray(trace.batch_loss[1:]), jax.tree.map(lambda p: np.asarray(p[0]), trace.params)


@pytest.mark.parametrize(
    "run", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["train", "run"]
)
@pytest.mark.parametrize(
    ("source", "case"),
    [("keras", case) for case in KERAS] + [("torch", case) for case in TORCH],
    ids=lambda v: v,
)
def test_ten_steps_as_recorded(source, case, run):
    recorded = {"keras": KERAS, "torch": TORCH}[source][case]
    losses, params = ten_steps(case, run)
    # float32, ten steps: a few ulp a step. A wrong convention (eps, bias correction, decay) is off
    # by 1e-3 and more.
    np.testing.assert_allclose(losses, recorded["loss"], rtol=4e-5)
    ours = [params[0]["w"], params[0]["b"], params[1]["w"], params[1]["b"]]
    scale = max(np.abs(there).max() for there in recorded["params"])
    for here, there in zip(ours, recorded["params"], strict=True):
        np.testing.assert_allclose(here, np.reshape(there, here.shape), atol=2e-5 * scale, rtol=0)


@pytest.mark.parametrize("case", ["sgd in order, batches of 3"])  # all are slow tests above
def test_ten_steps_in_run(case):
    test_ten_steps_as_recorded("keras", case, True)


def test_keras_adam_is_not_optax_adam_with_its_epsilon():
    tiny = {"g": np.float32(1e-7)}

    def moved(transformation):
        state = transformation.init(tiny)
        return float(transformation.update(tiny, state, tiny)[0]["g"])

    keras = ap.optimizers.make("adam_keras", 1.0, {}, None, 1)
    optax = ap.optimizers.make("adam", 1.0, {"eps": 1e-7}, None, 1)
    # m = 0.1 g, v = 0.001 g²: Keras -g sqrt(0.001)/(sqrt(0.001) g + 1e-7), optax -g/(g + 1e-7)
    root = np.sqrt(0.001)
    assert moved(keras) == pytest.approx(-root * 1e-7 / (root * 1e-7 + 1e-7), rel=1e-4)
    assert moved(optax) == pytest.approx(-0.5, rel=1e-4)
