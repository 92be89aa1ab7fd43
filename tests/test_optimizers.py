"""Promise: every optimiser and schedule makes the steps of the framework that its name says.

Ten steps were recorded from the frameworks by recorded/optimizers.py; where there is no framework
to ask, a plain loop written here is asked instead.
"""

import inspect
import itertools
import json
from dataclasses import fields, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK

import approx as ap
from approx.training import optimizers

FOLDER = Path(__file__).parent / "recorded"
RECORDED = json.loads((FOLDER / "optimizers.json").read_text())
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
    found = jax.value_and_grad(lambda params: ap.loss(params, X, jnp.asarray(Y), task, recipe))
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
    update = rule.update
    if ours["optimizer"] == "lbfgs_torch":  # its loops over the memory would be compiled every time
        update = jax.jit(update, compiler_options=QUICK)
    for _ in range(steps):
        value, gradient = slope(params)
        losses.append(value * factor)
        gradient = jax.tree.map(lambda g: g * factor, gradient)
        changes, state = update(gradient, state, params, value=value)
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
    if ours["optimizer"] == "lbfgs_torch":
        # Rounding grows twentyfold in four of its steps, as the same steps in float64 show
        np.testing.assert_allclose(losses[:3], case["loss"][:3], rtol=4e-5)
        np.testing.assert_allclose(losses[:7], case["loss"][:7], rtol=2e-3)
        return
    # float32, ten steps: a few ulp a step. A wrong convention is off by 1e-3 and more.
    np.testing.assert_allclose(losses, case["loss"], rtol=4e-5)
    found = [params[0]["w"], params[0]["b"], params[1]["w"], params[1]["b"]]
    scale = max(np.abs(np.ravel(there)).max() for there in case["params"])
    for here, there in zip(found, case["params"], strict=True):
        np.testing.assert_allclose(here, np.reshape(there, here.shape), atol=2e-5 * scale, rtol=0)


DECAYING = [
    name for name in ap.optimizers.OPTIMIZERS if "kernels_only" in ap.optimizers.defaults(name)
]


def test_a_decay_of_kernels_alone_leaves_biases_as_without_it():
    """Of every optimiser that has the choice: the second of two steps from one start."""
    of_none = {"weight_decay": 0.0}
    of_all = {"weight_decay": 0.2}
    of_kernels = of_all | {"kernels_only": True}
    first = jax.tree.map(lambda w: 0.1 + jnp.cos(5 * w), START)
    second = jax.tree.map(lambda g: g**2 - 0.3, first)

    def second_steps(name, first, second):
        for options in (of_none, of_all, of_kernels):
            rule = ap.optimizers.make(name, 0.05, options, None, 2)
            changes, state = rule.update(first, rule.init(START), START)
            moved = optax.apply_updates(START, changes)
            yield rule.update(second, state, moved)[0]

    def all_of_them(first, second):
        return {name: [*second_steps(name, first, second)] for name in DECAYING}

    found = jax.jit(all_of_them, compiler_options=QUICK)(first, second)
    for name in DECAYING:
        for none, every, kernels in zip(*found[name], strict=True):
            np.testing.assert_allclose(kernels["b"], none["b"], rtol=1e-5, err_msg=name)
            np.testing.assert_allclose(kernels["w"], every["w"], rtol=1e-5, err_msg=name)
            for part in "wb":
                scale = np.abs(none[part]).max()
                assert np.abs(every[part] - none[part]).max() > 5e-5 * scale, name


def test_numbers_that_may_be_left_out_or_negative():
    ap.Recipe(optimizer="sgd", options={"momentum": None, "weight_decay": None})
    ap.Recipe(optimizer="ftrl_keras", options={"rate_power": -0.7})
    with pytest.raises(ValueError, match="b2_decay"):
        ap.Recipe(optimizer="adafactor_keras", options={"b2_decay": np.inf})
    for name, option in (("adam", "b1"), ("rprop", "grow"), ("lm", "mu"), ("bfgs", "maxit")):
        with pytest.raises(TypeError, match=f"option '{option}' is None; it must be one number"):
            ap.Recipe(optimizer=name, options={option: None})


# ---- resilient backpropagation, against a plain loop -------------------------------------------


def plain_loop(kind, gradients, values, first=0.3):
    """Positions of one parameter, by the words of Igel and Hüsken (2003) and of OpenCV's source."""
    w, length, before, step, last = 0.0, first, 0.0, 0.0, np.inf
    found = []
    for g, value in zip(gradients, values, strict=True):
        product = g * before
        sign = np.sign(g)
        if product > 0:
            length = min(length * 1.2, 0.5)
        elif product < 0:
            length = max(length * 0.5, 0.1)
        goes_back = product < 0 and kind in ("rprop_plus", "irprop_plus")
        if goes_back:
            step = -step if kind == "rprop_plus" or value > last else 0.0
        elif product < 0 and kind == "irprop_minus":
            step = 0.0
        else:
            step = -sign * length
        forgets = product < 0 and kind != "rprop_minus"
        before, last = 0.0 if forgets else g, value
        w += step
        found.append(w)
    return found


@pytest.mark.parametrize(
    "kind", ["rprop_plus", "rprop_minus", "irprop_plus", "irprop_minus", "rprop_opencv"]
)
def test_members_of_the_rprop_family(kind):
    rng = np.random.default_rng(4)
    gradients, values = rng.normal(size=40), rng.uniform(size=40)
    assert any(a * b < 0 for a, b in itertools.pairwise(gradients))
    numbers = {"shrink": 0.5, "grow": 1.2, "shortest": 0.1, "longest": 0.5}
    rule = optax.with_extra_args_support(ap.optimizers.make(kind, 0.3, numbers, None, 40))
    w = jnp.zeros(1)
    state, found = rule.init(w), []
    for g, value in zip(gradients, values, strict=True):
        change, state = rule.update(jnp.array([g], jnp.float32), state, w, value=jnp.float32(value))
        w = w + change
        found.append(float(w[0]))
    np.testing.assert_allclose(found, plain_loop(kind, gradients, values), atol=1e-5)


def test_a_rule_that_needs_the_loss_says_so():
    rule = ap.optimizers.make("irprop_plus", 0.1, {}, None, 5)
    w = jnp.ones(2)
    with pytest.raises(TypeError, match="needs the loss"):
        rule.update(w, rule.init(w), w)


# ---- brain.js: momentum on weights alone --------------------------------------------------------


def test_momentum_of_brainjs_leaves_biases_alone():
    rule = ap.optimizers.make("momentum_brainjs", 0.5, {"momentum": 0.2}, None, 2)
    params = {"w": jnp.zeros((1, 1)), "b": jnp.zeros(1)}
    state = rule.init(params)
    gradient = jax.tree.map(jnp.ones_like, params)
    for step in (-0.5, -0.6):  # 0.2 * -0.5 - 0.5
        changes, state = rule.update(gradient, state, params)
        assert float(changes["w"][0, 0]) == pytest.approx(step)
        assert float(changes["b"][0]) == pytest.approx(-0.5)


# ---- what is descended ---------------------------------------------------------------------------

TASK = ap.given(X, Y)


def descended(x, y, n, **fields):
    """Value and gradient of a batch, of one network."""
    recipe = ap.Recipe(model=MODEL, **fields)
    weights = np.array([1.0] * n + [0.0] * (len(x) - n), np.float32)
    batch = ap.training.inputs.Batch(*map(jnp.asarray, (x, y, weights)))

    def of_batch(params, batch):
        found = ap.training.evaluation.descended(params, batch, TASK, recipe)
        return found.value, found.gradient

    return jax.jit(of_batch, compiler_options=QUICK)(START, batch)


@pytest.mark.parametrize(
    ("fields", "rows", "share"),
    [
        ({}, 1 / 5, 1),
        ({"reduction": "sum"}, 1, 1),
        ({"l2_per": "rows"}, 1 / 5, 1 / 5),
        ({"l2_per": "rows", "reduction": "sum"}, 1, 1 / 5),
    ],
)
def test_what_is_descended_on_a_partial_batch(fields, rows, share):
    """Five rows and two of padding: `rows Σ loss + share (l2 Σ w² + l1 Σ |w|)` over kernels."""
    value, gradient = descended(X, Y, 5, l2=0.3, l1=0.2, **fields)

    def written_out(params):
        hidden = jnp.tanh(X[:5] @ params[0]["w"] + params[0]["b"])
        errors = hidden @ params[1]["w"] + params[1]["b"] - Y[:5]
        kernels = jnp.concatenate([layer["w"].ravel() for layer in params])
        penalty = 0.3 * (kernels**2).sum() + 0.2 * jnp.sqrt(kernels**2).sum()
        return rows * (errors**2).sum() + share * penalty

    total, slopes = jax.jit(jax.value_and_grad(written_out), compiler_options=QUICK)(START)
    per_row = total / 5 if rows == 1 else total
    assert float(value) == pytest.approx(float(per_row), rel=1e-5)
    for here, there in zip(jax.tree.leaves(gradient), jax.tree.leaves(slopes), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-6)


def test_the_slope_of_l1_at_zero_is_zero():
    recipe = ap.Recipe(model=MODEL, l1=1.0)
    zeros = [{"w": jnp.zeros((1, 2)), "b": jnp.zeros(2)}]
    slope = jax.jit(jax.grad(ap.training.evaluation.penalty))(zeros, recipe)
    assert not np.asarray(slope[0]["w"]).any()


# ---- batches -------------------------------------------------------------------------------------


def rows_of(kind, steps, size=3, n=7, drop_last=False):
    key = jax.random.key(5)
    batch = jax.jit(lambda step: ap.sampling.batch(kind, key, step, size, n, drop_last))
    found = []
    for step in range(steps):
        index, weights = batch(step)
        counted = np.ones(size) if weights is None else np.asarray(weights)
        found.append(np.asarray(index)[counted > 0].tolist())
    return found


def test_once_is_one_permutation_in_every_epoch():
    found = rows_of("once", 6)
    assert found[:3] == found[3:]
    epoch = [*itertools.chain(*found[:3])]
    assert sorted(epoch) == list(range(7)) != epoch


@pytest.mark.parametrize("kind", ["epoch", "once", "order"])
def test_no_partial_batch_with_drop_last(kind):
    found = rows_of(kind, 4, drop_last=True)
    assert [len(rows) for rows in found] == [3, 3, 3, 3]
    assert len(set(found[0] + found[1])) == 6
    if kind == "order":
        assert found == [[0, 1, 2], [3, 4, 5]] * 2


# ---- guards and refusals -------------------------------------------------------------------------


def moved(transformation, gradients):
    state, found = transformation.init(jnp.zeros(1)), []
    for g in gradients:
        change, state = transformation.update(jnp.array([g]), state, jnp.zeros(1))
        found.append(float(change[0]))
    return found


def test_what_the_guards_say_of_optax_is_true():
    assert moved(optax.adadelta(), [1.0])[0] > 0 > moved(optax.adadelta(1.0), [1.0])[0]
    assert moved(optax.contrib.cocob(1.0), [1.0]) == moved(optax.contrib.cocob(9.0), [1.0])
    late = moved(optax.rprop(0.1), [1.0, 1.0, 1.0])
    ours = moved(ap.optimizers.make("rprop", 0.1, {}, None, 3), [1.0, 1.0, 1.0])
    assert late[1] == pytest.approx(ours[0])
    noise = jax.vmap(
        lambda g: optax.noisy_sgd(0.1, seed=0).update(g, optax.noisy_sgd(0.1, seed=0).init(g))[0]
    )(jnp.zeros((2, 1)))
    assert noise[0] == noise[1] != 0


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (optax.noisy_sgd, "share"),
        (optax.adadelta(), "climbs; give optax.adadelta"),
        (optax.chain(optax.clip(1.0), optax.adadelta()), "climbs"),
        (optax.noisy_sgd(0.1, seed=1), "share"),
    ],
)
def test_misleading_optimisers_are_refused(optimizer, words):
    rate = {} if optimizer is optax.noisy_sgd else {"learning_rate": None}
    with pytest.raises(ValueError, match=words):
        ap.Recipe(optimizer=optimizer, **rate)


@pytest.mark.parametrize(
    ("optimizer", "words"), [(optax.rprop, "call before"), (optax.contrib.cocob, "changes nothing")]
)
def test_misleading_optimisers_are_warned_of(optimizer, words):
    with pytest.warns(UserWarning, match=words):
        ap.Recipe(optimizer=optimizer)
    ap.Recipe(optimizer=optax.adadelta(1.0), learning_rate=None)


REFUSED = {
    "two clips": (
        lambda: ap.optimizers.make("adam_keras", 0.1, {"clipnorm": 1.0, "clipvalue": 1.0}, None, 1),
        ValueError,
        "clipnorm and clipvalue",
    ),
    "half an average": (
        lambda: ap.optimizers.make("adam_keras", 0.1, {"ema_momentum": 0.9}, None, 1),
        ValueError,
        "ema_every=steps",
    ),
    "switch": (
        lambda: ap.Recipe(optimizer="adam", options={"amsgrad": 1}),
        TypeError,
        "'amsgrad' is 1; it must be True or False",
    ),
    "count": (
        lambda: ap.Recipe(optimizer="sgd_keras", options={"ema_every": 0, "ema_momentum": 0.9}),
        ValueError,
        "'ema_every' is 0",
    ),
    "range": (
        lambda: ap.Recipe(optimizer="sgd", options={"momentum": 1.0}),
        ValueError,
        "momentum",
    ),
    "drop_last of all rows": (
        lambda: ap.Recipe(drop_last=True),
        ValueError,
        "no partial one|has no partial",
    ),
    "drop_last": (lambda: ap.Recipe(drop_last=1, batch_size=3), TypeError, "True or False"),
    "reduction": (lambda: ap.Recipe(reduction="max"), ValueError, "mean, sum"),
    "lm with a sum": (
        lambda: ap.Recipe(optimizer="lm", reduction="sum"),
        ValueError,
        "chooses its own objective",
    ),
    "lm with l1": (lambda: ap.Recipe(optimizer="lm", l1=0.1), ValueError, "l1=None"),
    "batches of PyTorch's L-BFGS": (
        lambda: ap.Recipe(optimizer="lbfgs_torch", batch_size=3),
        ValueError,
        "takes all rows",
    ),
    "schedule's count": (lambda: ap.schedules.Cosine(steps=2.5), ValueError, "steps is 2.5"),
    "schedule's pieces": (
        lambda: ap.schedules.Piecewise(after=(3,), factors=(1.0,)),
        ValueError,
        "one factor more",
    ),
    "schedule's way": (
        lambda: ap.schedules.OneCycle(steps=9, anneal="sine"),
        ValueError,
        "cosine, linear",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        make()


# ---- schedules, programs and forms ---------------------------------------------------------------


def test_equal_schedules_share_a_program():
    one, two = (ap.schedules.Piecewise(after=after, factors=(1.0, 0.5)) for after in ([3], (3,)))
    assert one == two
    assert hash(one) == hash(two)
    recipes = [ap.Recipe(schedule=schedule) for schedule in (one, two)]
    assert jax.tree.structure(recipes[0]) == jax.tree.structure(recipes[1])


def test_epochs_of_a_schedule():
    step = ap.schedules.Step(every=2, factor=0.5, steps_per_epoch=3)
    assert [float(step(n)) for n in (0, 5, 6, 11, 12)] == [1, 1, 0.5, 0.5, 0.25]


def test_an_option_that_is_left_out_is_no_number_until_it_is_given():
    plain = ap.Recipe(optimizer="adam_keras")
    clipped = ap.Recipe(optimizer="adam_keras", options={"clipnorm": 1})
    assert "clipnorm" not in plain.number_names
    assert "clipnorm" in clipped.number_names


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "irprop_plus"},
        {"optimizer": "sgd", "reduction": "sum", "batch_size": 3, "l1": 0.1, "l2_per": "rows"},
        {"optimizer": "sgd_keras", "batches": "once", "batch_size": 3, "drop_last": True},
        {"optimizer": "adam_keras", "options": {"global_clipnorm": 0.1, "weight_decay": 0.1}},
        {"optimizer": "sgd", "schedule": ap.schedules.CosineRestarts(steps=3, longer=2.0)},
    ],
    ids=str,
)
def test_lanes_as_vmap_and_train(fields):
    recipe = ap.Recipe(model=MODEL, learning_rate=0.02, steps=10, records=3, **fields)
    common = {"seeds": 5, "lanes": 8, "progress": False}
    lanes, vmap = (ap.run(TASK, recipe, form=form, **common) for form in ("lanes", "vmap"))
    np.testing.assert_allclose(lanes.loss, vmap.loss, rtol=2e-3)
    key = jax.random.fold_in(jax.random.key(0), 2)
    np.testing.assert_allclose(TRAIN(key, TASK, recipe).loss, vmap.loss.sel(seed=2), rtol=2e-3)


def test_numbers_that_are_not_given_are_those_that_were_recorded():
    recorded = json.loads((FOLDER / "defaults.json").read_text())
    wanted = recorded["optimizers"]
    assert list(wanted) == list(optimizers.KNOWN)
    for name, numbers in wanted.items():
        rate = numbers.pop("learning_rate")
        assert (optimizers.default_rate(name), optimizers.defaults(name)) == (rate, numbers), name
    for name in ap.schedules.__all__:
        parameters = inspect.signature(getattr(ap.schedules, name)).parameters.values()
        found = {one.name: repr(one.default) for one in parameters if one.default is not one.empty}
        assert found == recorded["schedules and rules"][name], name


def test_whole_numbers_of_schedules_are_checked():
    """Those of every schedule, one below the least that is allowed."""
    checked = set()
    numbers = {"steps": 9, "every": 2, "rows": 5, "factor": 0.5, "decay": 0.1}
    numbers |= {"after": (1,), "factors": (1.0, 0.5)}
    for name in ap.schedules.__all__:
        kind = getattr(ap.schedules, name)
        needed = inspect.signature(kind).parameters.values()
        valid = {one.name: numbers[one.name] for one in needed if one.default is one.empty}
        for field in fields(kind):
            if field.name in ap.schedules.COUNTS:
                least = {"warmup": 0}.get(field.name, 1)
                with pytest.raises(ValueError, match=f"{field.name} is {least - 1}; it must be"):
                    kind(**(valid | {field.name: least - 1}))
                checked.add(field.name)
    assert checked == {"steps_per_epoch", "steps", "every", "warmup", "rows"}


def test_a_line_search_sees_the_rows_of_its_batch():
    """Rows that are given twice, half of them in each batch, are the rows in one."""
    x = np.linspace(-1, 1, 6)
    twice = np.tile(x, 2)
    recipe = ap.Recipe(model=ap.MLP((3,)), optimizer=optax.lbfgs, learning_rate=1.0, steps=6)
    batches = {"batch_size": 6, "batches": "order"}
    options = {"seeds": 2, "progress": False, "compiler_options": QUICK}
    whole = ap.run(ap.given(x, x**2), recipe, **options)
    parts = ap.run(ap.given(twice, twice**2), replace(recipe, **batches), **options)
    np.testing.assert_allclose(parts.loss, whole.loss, rtol=1e-3)
