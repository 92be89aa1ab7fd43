"""Promise: every optimiser and schedule makes the steps of the framework that its name says.

Ten steps were recorded from the frameworks by recorded/optimizers.py; where there is no framework
to ask, a plain loop written here is asked instead.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK

import approx as ap

RECORDED = json.loads((Path(__file__).parent / "recorded" / "optimizers.json").read_text())
CASES = RECORDED["cases"]
X = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
Y = (X**2 - np.float32(0.3) * X).astype(np.float32)
START = [
    {"w": jnp.array([[0.5, -0.8, 1.1]]), "b": jnp.array([0.1, -0.2, 0.3])},
    {"w": jnp.array([[0.7], [-0.4], [0.9]]), "b": jnp.array([0.05])},
]
MODEL = ap.MLP((3,))
TRAIN = jax.jit(ap.train, static_argnames="keep", compiler_options=QUICK)
THROUGH_TRAIN = ("l2", "batch_size")  # what is not the optimiser's own


def slope_of(loss):
    """Loss and gradient on all rows, compiled once for all optimisers."""
    task = ap.given(X, Y, loss=loss)
    recipe = ap.Recipe(model=MODEL)
    found = jax.value_and_grad(lambda params: ap.loss(params, X, Y, task, recipe))
    return jax.jit(found, compiler_options=QUICK)


SLOPES = {loss: slope_of(loss) for loss in ("mse", "half_squared_error")}


def schedule_of(ours):
    if "schedule" not in ours:
        return None
    name, numbers = ours["schedule"]
    return getattr(ap.schedules, name)(**numbers)


def replayed(ours):
    """Losses before each step and the last parameters, with nothing compiled but the gradient."""
    steps = ours.get("steps", 10)
    rule = optax.with_extra_args_support(
        ap.optimizers.make(
            ours["optimizer"], ours["rate"], ours.get("options", {}), schedule_of(ours), steps
        )
    )
    slope = SLOPES[ours.get("loss", "mse")]
    factor = 7 if ours.get("reduction") == "sum" else 1
    params, losses = START, []
    state = rule.init(params)
    for _ in range(steps):
        value, gradient = slope(params)
        losses.append(value * factor)
        gradient = jax.tree.map(lambda g: g * factor, gradient)
        changes, state = rule.update(gradient, state, params, value=value)
        params = optax.apply_updates(params, changes)
    return losses[:: steps // 10], params


def trained(ours):
    """The same through `train`, for what is not the optimiser's own."""
    fields = {name: ours[name] for name in ours if name not in ("rate", "loss", "schedule")}
    steps = fields.setdefault("steps", 10)
    recipe = ap.Recipe(
        model=MODEL,
        learning_rate=ours["rate"],
        schedule=schedule_of(ours),
        records=range(0, steps + 1, steps // 10),
        **fields,
    )
    task = ap.given(X, Y, loss=ours.get("loss", "mse"))
    keep = ap.Keep(("params",))
    trace = TRAIN(jax.random.key(0), task, recipe, keep=keep, params=START)
    return trace.batch_loss[1:], jax.tree.map(lambda p: p[0], trace.params)


@pytest.mark.parametrize("name", CASES)
def test_ten_steps_as_recorded(name):
    case = CASES[name]
    ours = case["ours"]
    through_train = any(word in ours for word in THROUGH_TRAIN)
    losses, params = trained(ours) if through_train else replayed(ours)
    # float32, ten steps: a few ulp a step. A wrong convention is off by 1e-3 and more.
    np.testing.assert_allclose(losses, case["loss"], rtol=4e-5)
    found = [params[0]["w"], params[0]["b"], params[1]["w"], params[1]["b"]]
    scale = max(np.abs(np.ravel(there)).max() for there in case["params"])
    for here, there in zip(found, case["params"], strict=True):
        np.testing.assert_allclose(here, np.reshape(there, here.shape), atol=2e-5 * scale, rtol=0)
