"""Promise: a change sets what it names and nothing else; what means nothing is refused."""

from dataclasses import dataclass, replace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK

import approx as ap
from approx import scalings
from approx.changes.alterations import altered, described, steps_of
from approx.study.cells import cell_rows, checked_factors
from approx.sweep import facts

SQUARE = ap.tasks.square()
RECIPE = ap.Recipe(steps=20)
RNG = np.random.default_rng(7)
X = RNG.normal([5.0, -3.0], [0.5, 20.0], (30, 2))
Y = RNG.normal([100.0, 2.0, -7.0], [30.0, 0.1, 4.0], (30, 3))
DATA = ap.given(X, Y, X[:5], Y[:5], distance=[0.0, 1.0, 2.0, 0.0, 0.5])
OF_DATA = ap.Recipe(model=ap.MLP((4,), outputs=3), steps=8)


def of_recipe(change, recipe=RECIPE, task=SQUARE):
    """The recipe that a change makes, where it leaves the task alone."""
    new_task, new = altered(task, recipe, change)
    assert new_task is task
    return new


def refused(kind, message, change, recipe=RECIPE, task=SQUARE):
    with pytest.raises(kind, match=message):
        altered(task, recipe, change)


class Dense(nn.Module):
    """A flax module with two fields of its own."""

    width: int = 4
    slope: float = 1.0

    @nn.compact
    def __call__(self, x):
        hidden = nn.Dense(self.width)(x)
        return nn.Dense(1)(jnp.tanh(self.slope * hidden))


# ---- fields --------------------------------------------------------------------------------------

FIELDS = {
    "short": ({"activation": "relu"}, replace(RECIPE, model=ap.MLP((10,), "relu"))),
    "full": ({"model.widths": (3, 2)}, replace(RECIPE, model=ap.MLP((3, 2)))),
    "several": (
        {"widths": (3,), "model.bias": False, "l2": 0.1, "recipe.dtype": "float64"},
        replace(RECIPE, model=ap.MLP((3,), bias=False), l2=0.1, dtype="float64"),
    ),
    "option": ({"b1": 0.5}, replace(RECIPE, options={"b1": 0.5})),
    "full option": ({"recipe.b2": 0.5}, replace(RECIPE, options={"b2": 0.5})),
    "options": (
        {"options": {"b1": 0.2}, "b2": 0.5},
        replace(RECIPE, options={"b1": 0.2, "b2": 0.5}),
    ),
    "option of the new optimizer": (
        {"optimizer": "momentum", "momentum": 0.5},
        replace(RECIPE, optimizer="momentum", options={"momentum": 0.5}),
    ),
    "whole option": (
        {"optimizer": "lbfgs", "memory_size": 3},
        replace(RECIPE, optimizer="lbfgs", learning_rate=None, options={"memory_size": 3}),
    ),
    "model": ({"model": ap.MLP(())}, replace(RECIPE, model=ap.MLP(()))),
    "field of the new model": (
        {"model": ap.MLP((2,)), "activation": "sin", "model.frequency": 2.0},
        replace(RECIPE, model=ap.MLP((2,), "sin", frequency=2.0)),
    ),
    "only some differ": ({"activation": "tanh", "steps": 7}, replace(RECIPE, steps=7)),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_named_field_is_set_and_the_others_stay(case):
    change, wanted = FIELDS[case]
    assert of_recipe(change) == wanted


def test_fields_of_a_task_are_set():
    task, recipe = altered(SQUARE, RECIPE, {"size": 8, "task.range": (0, 4), "inputs": "raw"})
    assert task == ap.tasks.square(range=(0, 4), size=8)
    assert recipe is RECIPE
    assert altered(SQUARE, RECIPE, {"task.inputs": "uniform"})[0].inputs == "uniform"
    assert altered(SQUARE, RECIPE, {"task.frequency": 3.0})[0].frequency == 3.0


def test_models_inside_scalings_keep_their_place():
    inside = scalings.PerSample(scalings.PerFeature(ap.MLP((4,)), scale=2.0))
    recipe = replace(RECIPE, model=inside)
    found = of_recipe({"widths": (7,), "scale": 3.0, "undo": False}, recipe).model
    inner = scalings.PerFeature(ap.MLP((7,)), scale=3.0)
    assert found == scalings.PerSample(inner, undo=False)
    found = of_recipe({"model.model": ap.MLP((2,))}, recipe).model
    assert found == scalings.PerSample(ap.MLP((2,)))
    assert of_recipe({"model": ap.MLP((2,))}, recipe).model == ap.MLP((2,))


def test_fields_of_a_flax_module_are_set():
    recipe = replace(RECIPE, model=scalings.PerFeature(Dense(), scale=10.0))
    found = of_recipe({"model.width": 9, "slope": 0.5}, recipe).model
    assert found.model == Dense(width=9, slope=0.5)
    assert found.scale == 10.0
    shapes = facts.find(SQUARE, replace(recipe, model=found)).params
    assert shapes["params"]["Dense_0"]["kernel"].shape == (1, 9)
    refused(TypeError, "no such field", {"parent": None}, recipe)


def test_a_task_a_recipe_or_both_replace_the_baseline():
    other, longer = ap.tasks.sine(), replace(RECIPE, steps=21)
    task, recipe = altered(SQUARE, RECIPE, other)
    assert task is other
    assert recipe is RECIPE
    task, recipe = altered(SQUARE, RECIPE, longer)
    assert task is SQUARE
    assert recipe is longer
    task, recipe = altered(SQUARE, RECIPE, (other, longer))
    assert task is other
    assert recipe is longer


def hundredth_of_its_size(task, recipe):
    """A learning rate that depends on how many rows there are."""
    return {"learning_rate": task.size / 100}


def test_a_function_sees_what_it_changes_and_what_other_levels_have_changed():
    assert of_recipe(hundredth_of_its_size).learning_rate == SQUARE.size / 100
    levels = checked_factors(
        {
            "rate": {"fixed": {}, "by size": hundredth_of_its_size},
            "rows": {"all": {}, "8": {"size": 8}},
        }
    )
    rows = {row.label: row for row in cell_rows(SQUARE, RECIPE, levels, None)}
    found = {label: row.recipe.learning_rate for label, row in rows.items()}
    assert found["by size, 8"] == 0.08
    assert found["by size, all"] == SQUARE.size / 100
    assert found["fixed, 8"] == RECIPE.learning_rate
    assert rows["by size, 8"].change == "hundredth of its size; size = 8"
    refused(TypeError, "a change is 3; it must be", lambda task, recipe: 3)


def test_what_stays_is_the_same_object():
    task, recipe = altered(SQUARE, RECIPE, {})
    assert task is SQUARE
    assert recipe is RECIPE
    assert altered(SQUARE, RECIPE, {"size": 8})[1] is RECIPE
    assert altered(DATA, RECIPE, {"steps": 8})[0] is DATA


# ---- data sets -----------------------------------------------------------------------------------


def test_changed_data_are_checked_as_new_data_are():
    task, _ = altered(DATA, OF_DATA, {"y": Y.tolist()[::-1]})
    np.testing.assert_array_equal(task.y, Y[::-1])
    np.testing.assert_array_equal(task.distance, DATA.distance)
    refused(ValueError, "task.y: x and y differ in their number", {"y": Y[:4]}, OF_DATA, DATA)
    refused(ValueError, r"task.x: x\[0, 0\] is nan", {"x": X * np.nan}, OF_DATA, DATA)


def test_distances_follow_the_rows_that_are_trained_on():
    x = np.arange(10.0)
    boxed = ap.task(np.sqrt, x, [8.0, 9.0, 12.0])
    np.testing.assert_array_equal(boxed.distance, [0, 0, 3])
    task, _ = altered(boxed, RECIPE, {"validation": 0.2})  # trained on 0 to 7
    np.testing.assert_array_equal(task.distance, [1, 2, 5])
    task, _ = altered(DATA, OF_DATA, {"validation": 0.2})  # said by hand
    np.testing.assert_array_equal(task.distance, DATA.distance)
    one_set = ap.given(x, x, [8.0, 9.0, 12.0], [8.0, 9.0, 12.0])
    task, _ = altered(one_set, RECIPE, {"validation": 0.2})
    np.testing.assert_array_equal(task.distance, [0, 0, 0])


def test_a_loss_that_knows_what_is_correct_drops_the_rule_of_another():
    task = ap.tasks.interval(loss="mse")
    assert task.correct is ap.losses.same_half
    assert altered(task, RECIPE, {"loss": "brier"})[0].correct is None
    assert altered(task, RECIPE, {"loss": ap.losses.brier})[0].correct is None
    assert altered(task, RECIPE, {"loss": "half_squared_error"})[0].correct is ap.losses.same_half
    own = {"loss": "brier", "correct": ap.losses.same_side}
    assert altered(task, RECIPE, own)[0].correct is ap.losses.same_side


# ---- the optimiser -------------------------------------------------------------------------------


def test_the_rate_stays_where_both_optimizers_take_one():
    recipe = replace(RECIPE, learning_rate=0.3, schedule="cosine")
    found = of_recipe({"optimizer": "sgd"}, recipe)
    assert (found.learning_rate, found.schedule) == (0.3, "cosine")
    assert of_recipe({"optimizer": optax.sgd}, recipe).learning_rate == 0.3


@pytest.mark.parametrize("name", ["lm", "bfgs", "lbfgs"])
def test_the_rate_is_the_default_where_one_of_them_takes_none(name):
    recipe = replace(RECIPE, learning_rate=0.3, schedule="cosine", options={"b1": 0.5})
    found = of_recipe({"optimizer": name}, recipe)
    assert found == ap.Recipe(optimizer=name, steps=20)
    assert of_recipe({"optimizer": "sgd"}, found).learning_rate == 1e-3
    named = {"optimizer": "sgd", "learning_rate": 0.7}
    assert of_recipe(named, found).learning_rate == 0.7
    own = "finds its own step.* over another optimizer's"
    refused(ValueError, own, {"optimizer": name, "learning_rate": 0.1}, recipe)


def test_finished_transformations_have_their_own_rate():
    finished = optax.sgd(0.5)
    recipe = replace(RECIPE, learning_rate=0.3, options={"b1": 0.5}, schedule="linear")
    found = of_recipe({"optimizer": finished}, recipe)
    assert (found.learning_rate, found.schedule, found.options) == (None, None, {})
    assert of_recipe({"optimizer": "adam"}, found).learning_rate == 1e-3


def test_options_that_the_new_optimizer_does_not_know_are_dropped():
    recipe = replace(RECIPE, options={"b1": 0.5, "eps": 1e-3})
    assert of_recipe({"optimizer": "adamw"}, recipe).options == {"b1": 0.5, "eps": 1e-3}
    assert of_recipe({"optimizer": "rmsprop"}, recipe).options == {"eps": 1e-3}
    assert of_recipe({"optimizer": "sgd"}, recipe).options == {}
    assert of_recipe({"optimizer": optax.sgd}, recipe).options == {}
    assert of_recipe({"optimizer": optax.adam}, recipe).options == {"b1": 0.5, "eps": 1e-3}

    def anything(learning_rate, **options):
        return optax.adam(learning_rate, **options)

    assert of_recipe({"optimizer": anything}, recipe).options == {"b1": 0.5, "eps": 1e-3}


# ---- the length of the training ------------------------------------------------------------------

LENGTHS = {  # (rows, validation, batch size, epochs): steps, counted by hand
    (21, 0.0, None, 5): 5,
    (21, 0.0, 8, 5): 15,
    (21, 0.0, 7, 5): 15,
    (21, 0.0, 21, 5): 5,
    (20, 0.25, 8, 3): 6,
    (20, 0.25, 5, 3): 9,
}


@pytest.mark.parametrize("case", LENGTHS, ids=str)
def test_epochs_are_counted_in_the_rows_that_are_trained_on(case):
    rows, validation, batch_size, epochs = case
    task = ap.tasks.square(size=rows, validation=validation)
    assert steps_of(task, epochs, batch_size) == LENGTHS[case]
    recipe = replace(RECIPE, batch_size=batch_size)
    assert of_recipe({"epochs": epochs}, recipe, task).steps == LENGTHS[case]
    change = {"size": rows, "validation": validation, "batch_size": batch_size, "epochs": epochs}
    assert altered(ap.tasks.square(size=50), RECIPE, change)[1].steps == LENGTHS[case]


def test_an_epoch_sees_every_row_once():
    """Rows are told apart by the gradient of a linear model without a bias."""
    task = ap.given(np.eye(5), np.ones(5))
    linear = ap.MLP((), bias=False, init_scale=0.0)
    recipe = ap.Recipe(model=linear, optimizer="sgd", learning_rate=1e-3, batch_size=2)
    recipe = of_recipe({"epochs": 1}, recipe, task)
    assert recipe.steps == 3
    train = jax.jit(
        lambda key: ap.train(key, task, recipe, keep=ap.Keep(("params",))), compiler_options=QUICK
    )
    weights = np.asarray(train(jax.random.key(0)).params[0]["w"])[-1, :, 0]
    # The gradient of a row is -2 over the rows of its batch, 2, 2 and 1
    np.testing.assert_allclose(np.sort(weights), [1e-3] * 4 + [2e-3], rtol=1e-5)


def test_another_batch_size_alone_leaves_the_steps():
    assert of_recipe({"batch_size": 8}).steps == 20


def test_listed_records_follow_the_steps():
    recipe = replace(RECIPE, records=(0, 5, 10, 15))
    assert of_recipe({"steps": 12}, recipe).records == (0, 5, 10, 12)
    assert of_recipe({"epochs": 10}, recipe).records == (0, 5, 10)
    assert of_recipe({"steps": 40}, recipe).records == (0, 5, 10, 15, 40)
    assert of_recipe({"steps": 40, "records": (0, 40)}, recipe).records == (0, 40)
    assert of_recipe({"steps": 40}).records == 50
    assert of_recipe({"l2": 0.1}, recipe).records == (0, 5, 10, 15)


# ---- standardisation -----------------------------------------------------------------------------


def test_inputs_and_targets_get_the_moments_of_the_training_rows():
    task = replace(DATA, validation=0.2)  # trained on the first 24 rows
    x, y = X[:24], Y[:24]
    found = of_recipe({"inputs": "standardise", "targets": "standardise"}, OF_DATA, task).model
    assert found.model == OF_DATA.model
    np.testing.assert_allclose(found.center, x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.scale, x.std(0), rtol=1e-6)
    np.testing.assert_allclose(found.out_center, y.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.out_scale, y.std(0), rtol=1e-6)
    inputs = of_recipe({"inputs": "standardise"}, OF_DATA, task).model
    assert inputs == replace(found, out_center=0.0, out_scale=1.0)
    targets = of_recipe({"targets": "standardise"}, OF_DATA, task).model
    assert targets == replace(found, center=0.0, scale=1.0)


def test_rows_of_the_changed_task_are_taken_in_the_changed_dtype():
    change = {"x": 1e4 + X, "dtype": "float64", "inputs": "standardise"}
    _, recipe = altered(DATA, OF_DATA, change)
    np.testing.assert_allclose(recipe.model.center, 1e4 + X.mean(0), rtol=1e-14)
    np.testing.assert_allclose(recipe.model.scale, X.std(0), rtol=1e-10)


def test_rows_that_each_seed_draws_are_pooled():
    task = ap.tasks.square(inputs="uniform", size=6, noise=2.0)
    root = jax.random.key(0)

    def rows(seed):
        key = jax.random.fold_in(root, seed)
        return task.rows(jax.random.fold_in(key, 1), jax.random.fold_in(key, 4))

    def split(seed):
        keys = ap.Keys(*(jax.random.fold_in(jax.random.fold_in(root, seed), n) for n in range(5)))
        return task.split(keys.data, keys.noise)[0][0]

    drawn = jax.jit(jax.vmap(rows), compiler_options=QUICK)(np.arange(64))
    x, y = (np.concatenate(np.asarray(values, float)) for values in drawn)
    change = {"inputs": "standardise", "targets": "standardise"}
    found = of_recipe(change, RECIPE, task).model
    np.testing.assert_allclose(found.center, x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found.scale, x.std(0), rtol=1e-6)
    np.testing.assert_allclose(found.out_center, y.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.out_scale, y.std(0), rtol=1e-6)
    of_fifth = jax.jit(split, compiler_options=QUICK)(5)
    np.testing.assert_array_equal(drawn[0][5], of_fifth)


def test_validation_rows_that_each_seed_draws_are_left_out_for_each():
    task = ap.given(X, Y, validation=0.5, hold_out="random")
    found = of_recipe({"inputs": "standardise"}, OF_DATA, task).model
    # Each row is trained on by about half of 64 seeds
    np.testing.assert_allclose(found.center, X.mean(0), atol=0.1 * X.std(0).max())
    assert (np.abs(np.array(found.center) - X.mean(0)) > 1e-6).all()


def test_scalings_are_replaced_wrapped_and_taken_out():
    net = OF_DATA.model
    old = scalings.PerFeature(net, (1.0, 2.0), (3.0, 4.0), 5.0, 6.0)
    recipe = replace(OF_DATA, model=old)
    found = of_recipe({"inputs": "standardise"}, recipe, DATA).model
    assert (found.model, found.out_center, found.out_scale) == (net, 5.0, 6.0)
    np.testing.assert_allclose(found.center, X.mean(0), rtol=1e-6)
    assert of_recipe({"inputs": "raw"}, recipe, DATA).model == replace(old, center=0.0, scale=1.0)
    raw = {"inputs": "raw", "targets": "raw"}
    assert of_recipe(raw, recipe, DATA).model == net
    rowwise = replace(OF_DATA, model=scalings.PerSample(net, undo=False))
    found = of_recipe({"inputs": "standardise"}, rowwise, DATA).model
    assert found.model == rowwise.model
    assert of_recipe({"inputs": "raw"}, rowwise, DATA).model == net
    inside = replace(OF_DATA, model=scalings.PerSample(old, undo=False))
    found = of_recipe({"targets": "raw"}, inside, DATA).model
    assert found == scalings.PerSample(replace(old, out_center=0.0, out_scale=1.0), undo=False)
    undone = replace(OF_DATA, model=scalings.PerSample(net))
    refused(ValueError, "scales inputs and outputs together", {"inputs": "raw"}, undone, DATA)


def test_the_words_go_with_any_model_and_with_other_changes():
    pair = (lambda key, x: {"w": jnp.ones(x.shape[1])}, lambda params, x: x * params["w"])
    found = of_recipe({"model": pair, "inputs": "standardise"}).model
    assert found.model is pair
    np.testing.assert_allclose(found.scale, np.arange(-10, 11).std())
    found = of_recipe({"activation": "relu", "inputs": "standardise"})
    assert found.model.model == ap.MLP((10,), "relu")
    assert facts.find(SQUARE, found).parameters == 31


def losses_of(task, recipe, seed=3):
    with jax.enable_x64(True):
        return np.asarray(ap.train(jax.random.key(seed), task, recipe).loss)


@pytest.mark.slow
def test_training_with_standardised_inputs_is_training_on_standardised_inputs():
    recipe = replace(OF_DATA, dtype="float64", optimizer="sgd", learning_rate=1e-4, records=9)
    z = (X - X.mean(0)) / X.std(0)
    inside = of_recipe({"inputs": "standardise"}, recipe, DATA)
    of_model = losses_of(DATA, inside)
    np.testing.assert_allclose(of_model, losses_of(ap.given(z, Y), recipe), rtol=1e-10)


@pytest.mark.slow
def test_standardised_targets_leave_losses_in_the_units_of_the_data():
    """The loss is the variance times that in standardised units, and so is the rate of sgd."""
    y = Y[:, 0]
    task, variance = ap.given(X, y), y.var()
    recipe = ap.Recipe(
        model=ap.MLP((4,)), optimizer="sgd", learning_rate=0.01, steps=8, dtype="float64"
    )
    change = {"targets": "standardise", "learning_rate": 0.01 / variance}
    inside = of_recipe(change, recipe, task)
    z = (y - y.mean()) / y.std()
    in_units = losses_of(ap.given(X, z), recipe)
    np.testing.assert_allclose(losses_of(task, inside), variance * in_units, rtol=1e-10)
    _, new = altered(task, recipe, {"targets": "standardise"})
    assert new.learning_rate == 0.01


@pytest.mark.slow
def test_a_standardised_recipe_runs(quiet):
    change = {"inputs": "standardise", "targets": "standardise", "epochs": 3, "batch_size": 8}
    task, recipe = altered(SQUARE, RECIPE, change)
    runs = ap.run(task, recipe, seeds=3, **quiet)
    assert runs.step[-1] == 9
    assert np.isfinite(runs.loss.isel(step=-1)).all()


# ---- what is refused -----------------------------------------------------------------------------

LABELS = ap.tasks.waveform(4, 3)
PAIR = replace(RECIPE, model=(ap.MLP().init, ap.MLP().apply))
BATCHED = replace(RECIPE, batch_size=8)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Epochal(ap.tasks.Curve):
    """A task that has a number of the name "epochs"."""

    epochs: float = 1.0


REFUSED = {
    "unknown": (TypeError, "cannot change 'tune': .* A change can name: epochs", {"tune": {}}),
    "all names": (TypeError, "steps, .*b1, .*widths, .*model.frequency, .*size", {"thing": 1}),
    "slip": (TypeError, "did you mean 'activation'", {"activaton": "relu"}),
    "full slip": (TypeError, "did you mean 'model.widths'", {"model.widhts": (3,)}),
    "wrong owner": (TypeError, "perhaps 'model.widths' is meant", {"recipe.widths": (3,)}),
    "word of others": (TypeError, "perhaps 'learning_rate' is meant", {"lr": 0.1}),
    "units": (TypeError, "perhaps 'model.widths'", {"units": 64}),
    "another optimizer's": (TypeError, "optimizers sgd, momentum, nesterov", {"momentum": 0.9}),
    "ambiguous": (TypeError, "one of model.frequency, task.frequency", {"frequency": 2.0}),
    "twice": (TypeError, "two names of model.widths", {"widths": (3,), "model.widths": (3,)}),
    "no string": (TypeError, "a name is a string", {3: 4}),
    "no change": (TypeError, "a change is 'tanh'; it must be a dictionary", "tanh"),
    "pair turned": (TypeError, "the task is Recipe", (RECIPE, SQUARE)),
    "private": (TypeError, "no such field", {"number_names": ()}),
    "value of the model": (ValueError, "model.activation: unknown", {"activation": "rleu"}),
    "value of the recipe": (ValueError, "recipe.steps: steps is -1", {"steps": -1}),
    "value of the task": (ValueError, "task.size: size is 0", {"size": 0}),
    "value of an option": (ValueError, "recipe.b1: option 'b1'", {"b1": 1.5}),
    "optimizer": (ValueError, "unknown optimizer 'adma'", {"optimizer": "adma"}),
    "options": (TypeError, "options is 3", {"options": 3, "b1": 0.5}),
    "part of an epoch": (ValueError, "epochs is 2.5", {"epochs": 2.5}),
    "no epochs": (ValueError, "epochs is 0", {"epochs": 0}),
    "steps too": (ValueError, "give one of them", {"epochs": 2, "recipe.steps": 3}),
    "stream": (
        ValueError,
        "there are no epochs",
        {"epochs": 2, "batches": "stream", "batch_size": 4},
    ),
    "large batch": (ValueError, "more than the 21", {"epochs": 2, "batch_size": 22}),
    "word": (ValueError, "did you mean 'standardise'", {"inputs": "standardize"}),
    "word of the task": (ValueError, "field is 'task.inputs'", {"inputs": "uniform"}),
    "nothing": (ValueError, "activation = tanh.* leaves the baseline", {"activation": "tanh"}),
    "default option": (ValueError, "leaves the baseline", {"b1": 0.9}),
    "as many epochs": (ValueError, "leaves the baseline", {"epochs": 20}),
    "already raw": (ValueError, "leaves the baseline", {"inputs": "raw", "targets": "raw"}),
    "equal recipe": (ValueError, "leaves the baseline", replace(RECIPE)),
    "equal both": (ValueError, "leaves the baseline", (ap.tasks.square(), replace(RECIPE))),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    kind, message, change = REFUSED[case]
    refused(kind, message, change)


def test_refused_of_other_baselines():
    refused(TypeError, "pair .init, apply., which has no fields", {"model.widths": (3,)}, PAIR)
    refused(TypeError, "pair .init, apply., which has no fields", {"widths": (3,)}, PAIR)
    refused(ValueError, "optimizer: 'lm' takes all rows", {"optimizer": "lm"}, BATCHED)
    epochal = Epochal(f=jnp.square)
    refused(TypeError, "write 'task.epochs'", {"epochs": 2}, RECIPE, epochal)
    refused(ValueError, "leaves the baseline", {"y": Y.copy()}, OF_DATA, DATA)
    with pytest.raises(TypeError, match="the task is"):
        altered(RECIPE, SQUARE, {})


def test_what_has_no_units_is_not_standardised():
    both = {"targets": "standardise"}
    recipe = replace(RECIPE, model=ap.MLP((4,), outputs=4))
    refused(ValueError, "logits", both, recipe, LABELS)
    refused(ValueError, "logits", both, RECIPE, ap.tasks.interval())

    def distance(outputs, labels):
        return (outputs[:, 0] - labels) ** 2

    refused(
        ValueError,
        "type int32, which counts as labels",
        both,
        recipe,
        replace(LABELS, loss=distance),
    )
    constant = ap.given(np.column_stack([X, np.full(30, 0.1)]), Y)
    refused(
        ValueError, "column 2 of the inputs is 0.1", {"inputs": "standardise"}, RECIPE, constant
    )
    flat = ap.given(X, np.column_stack([np.full(30, 7.0), Y]))
    refused(ValueError, "column 0 of the targets is 7 ", both, RECIPE, flat)


# ---- words ---------------------------------------------------------------------------------------

WORDS = {
    "activation = tanh; 300 epochs; inputs standardised": {
        "model.activation": "tanh",
        "epochs": 300,
        "inputs": "standardise",
    },
    "1 epoch; targets raw": {"epochs": 1, "targets": "raw"},
    "widths = (64,); learning_rate = 0.001": {"widths": (64,), "learning_rate": np.float64(1e-3)},
    "model.frequency = 2; task.frequency = 3": {"model.frequency": 2.0, "task.frequency": 3.0},
    "optimizer = sgd; l2 = None": {"optimizer": optax.sgd, "recipe.l2": None},
    "model = MLP(widths=(2,), activation='relu')": {"model": ap.MLP((2,), "relu")},
    "as the baseline": {},
}


@pytest.mark.parametrize("words", WORDS)
def test_a_change_in_words(words):
    assert described(WORDS[words]) == words


def test_a_task_or_a_recipe_in_words():
    task, recipe = altered(SQUARE, RECIPE, {"size": 8, "steps": 3})
    assert "size=8" in described(task)
    assert "steps=3" in described(recipe)
    assert described((task, recipe)) == f"{described(task)}; {described(recipe)}"
    assert "optax transformation" in described({"optimizer": optax.sgd(0.1)})
    assert "<locals>" not in described({"activation": lambda z: z})
