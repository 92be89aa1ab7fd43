"""Promise: the usual remedies are those that suit the task and the recipe, each is one change of
the baseline, and what cannot work is said before anything is trained.
"""

import warnings
from dataclasses import replace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import approx as ap
from approx.study import doubts
from approx.study.doubts import Range, of_reach
from approx.study.optimising import EVALUATIONS
from approx.study.plateaus import Rows

RNG = np.random.default_rng(0)
X = RNG.normal([5.0, -3.0], [20.0, 0.5], (200, 2))
Y = 3000 + 100 * X[:, 0] * X[:, 1]
DATA = ap.given(X, Y)
CLASSES = ap.given(X, (Y > 3000).astype(int), loss="cross_entropy")
SIX = np.arange(-1.0, 6.0)
LINE = ap.given(SIX, 2 * SIX - 1)

SCALED = ("inputs standardised", "targets standardised", "inputs and targets standardised")
TUNED = ("SGD, rate tuned", "momentum, rate tuned", "Adam, rate tuned", "RMSprop, rate tuned")


class Ending(nn.Module):
    """A flax module that ends with a function of the user's."""

    end: object = jax.nn.relu

    @nn.compact
    def __call__(self, x):
        return self.end(nn.Dense(1)(x))


class Dropped(nn.Module):
    """A flax module with dropout."""

    dropout_rate: float = 0.5

    @nn.compact
    def __call__(self, x, train=False):
        return nn.Dense(1)(nn.Dropout(self.dropout_rate, deterministic=not train)(x))


def labels(task, recipe, **options):
    """The labels of all changes and views."""
    study = ap.remedies(task, recipe, **options)
    return {*study.rows, *study.views} - {"baseline"}


# ---- which remedies there are --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "recipe", "there", "missing"),
    [
        (
            DATA,
            ap.Recipe(model=ap.MLP((8,), "tanh")),
            {*SCALED, TUNED[0], TUNED[1], TUNED[3], "its own rate tuned", "rate x 10", "rate / 10"}
            | {"4 times as wide", "one more hidden layer", "relu", "gelu", "sigmoid"}
            | {"first weights of Keras", "first weights of He", "first weights of R's nnet"}
            | {"batches of 32", "3 times as long", "10 times as long"}
            | {"Levenberg-Marquardt", "BFGS", "best of 5 seeds"},
            {"Adam, rate tuned", "tanh", "first weights of PyTorch", "with biases", "without l2"}
            | {"without dropout", "rows shuffled", "all rows in every step"},
        ),
        (
            DATA,
            ap.Recipe(
                model=ap.MLP((8,), "relu", bias=False, dropout=0.2, initializer="keras"),
                optimizer="adamw_keras",
                l2=1e-3,
                batch_size=20,
                batches="order",
            ),
            {"with biases", "without dropout", "without l2", "without weight decay"}
            | {"all rows in every step", "rows shuffled", "tanh", "first weights of PyTorch"},
            # Methods of second order cannot have dropout
            {"relu", "first weights of Keras", "batches of 32", "BFGS", "Levenberg-Marquardt"},
        ),
        (
            CLASSES,
            ap.Recipe(model=ap.MLP((8,), outputs=2)),
            {"inputs standardised", "BFGS"},
            {"targets standardised", "inputs and targets standardised", "Levenberg-Marquardt"},
        ),
        (
            ap.tasks.square(),
            ap.Recipe(batches="stream", batch_size=16),
            {"relu", "10 times as long"},
            {"BFGS", "Levenberg-Marquardt", "all rows in every step", "batches of 32"},
        ),
        (
            LINE,
            ap.Recipe(model=(lambda key, x: jnp.ones(1), lambda p, x: p * x)),
            {*SCALED, "rate x 10", "best of 5 seeds"},
            {"relu", "4 times as wide", "first weights of He", "with biases", "batches of 32"},
        ),
        (LINE, ap.Recipe(model=Dropped()), {"without dropout"}, {"BFGS", "relu"}),
        (
            DATA,
            ap.Recipe(model=ap.MLP(()), optimizer="lm", steps=50),
            {"one hidden layer", "BFGS", *TUNED},
            {"relu", "first weights of He", "rate x 10", "its own rate tuned", "batches of 32"},
        ),
    ],
    ids=["plain", "regularised", "classes", "stream", "pair", "flax", "linear"],
)
def test_remedies_suit_the_task_and_the_recipe(task, recipe, there, missing):
    found = labels(task, recipe)
    assert there - found == set()
    assert missing & found == set()


@pytest.mark.slow
def test_what_is_standardised_or_constant_is_left():
    recipe = ap.Recipe(model=ap.MLP((4,)))
    inside = (X - X.mean(0)) / X.std(0)
    found = labels(ap.given(inside, Y), recipe)
    assert found & set(SCALED) == {"targets standardised"}
    scaled = replace(recipe, model=ap.scalings.features(recipe.model, X))
    assert labels(DATA, scaled) & set(SCALED) == {"targets standardised"}
    constant = np.column_stack([X, np.ones(len(X))])
    assert labels(ap.given(constant, Y), recipe) & set(SCALED) == {"targets standardised"}
    labelled = ap.given(X, 1.0 * (Y > 3000), correct=ap.losses.same_half)
    assert labels(labelled, recipe) & set(SCALED) == {"inputs standardised"}


def test_each_remedy_changes_what_it_says():
    recipe = ap.Recipe(
        model=ap.MLP((8, 4), "sin", frequency=3.0),
        optimizer="adam_keras",
        learning_rate=0.02,
        batch_size=20,
        steps=500,
    )
    rows = ap.remedies(DATA, recipe).rows
    assert rows["4 times as wide"].recipe.model.widths == (32, 16)
    assert rows["one more hidden layer"].recipe.model.widths == (8, 4, 4)
    assert rows["relu"].recipe.model == ap.MLP((8, 4), "relu")
    assert rows["rate x 10"].recipe.learning_rate == 0.2
    assert rows["rate / 10"].recipe.learning_rate == 0.002
    assert rows["10 times as long"].recipe.steps == 5_000
    assert rows["RMSprop, rate tuned"].recipe.optimizer == "rmsprop_keras"
    assert rows["its own rate tuned"].tune["learning_rate"] == (0.002, 0.006, 0.02, 0.06, 0.2)
    assert rows["BFGS"].recipe.steps == EVALUATIONS
    assert rows["BFGS"].recipe.batch_size is None
    for label, row in rows.items():
        if label not in ("baseline", *SCALED):
            assert row.task is DATA
    for row in rows.values():
        assert set(row.tune) <= {"learning_rate"}


@pytest.mark.slow
def test_the_best_of_several_seeds_is_chosen_by_validation_rows_if_there_are_any():
    for task, chosen_by in ((DATA, "loss"), (ap.given(X, Y, validation=0.2), "validation_loss")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = ap.remedies(task, ap.Recipe())
        assert f"by {chosen_by}," in study.views["best of 5 seeds"].says


@pytest.mark.slow
def test_standardised_targets_train_as_a_network_that_learns_standardised_targets(quiet):
    """The rate and the penalty go with the units of the loss."""
    recipe = ap.Recipe(model=ap.MLP((4,)), optimizer="sgd", learning_rate=0.05, l2=1e-3, steps=8)
    study = ap.remedies(LINE, recipe)
    row = study.rows["targets standardised"]
    found = ap.run(row.task, row.recipe, seeds=3, **quiet)
    y = 2 * SIX - 1
    own = ap.run(ap.given(SIX, (y - y.mean()) / y.std()), recipe, seeds=3, **quiet)
    np.testing.assert_allclose(found.loss, own.loss * y.var(), rtol=1e-4)


@pytest.mark.slow
def test_methods_of_second_order_are_left_out_where_they_are_dear():
    wide = ap.Recipe(model=ap.MLP((200,)))
    assert {"BFGS", "Levenberg-Marquardt"} & labels(DATA, wide) == {"BFGS"}
    wider = ap.Recipe(model=ap.MLP((200, 200)))
    assert {"BFGS", "Levenberg-Marquardt"} & labels(DATA, wider) == set()


def test_remedies_can_be_left_out_and_added():
    study = ap.remedies(
        DATA,
        ap.Recipe(),
        skip=["optimisers", "relu", "restarts"],
        more={"tiny": {"widths": (1,)}, "gelu": {"model.activation": "sin"}},
        title="of my own",
    )
    assert not {*TUNED, "relu", "best of 5 seeds"} & {*study.rows, *study.views}
    assert study.rows["tiny"].recipe.model.widths == (1,)
    assert study.rows["gelu"].recipe.model.activation == "sin"
    assert study.title == "of my own"
    with pytest.raises(ValueError, match=r"skip names 'tan', which is no remedy.*'scaling'.*'relu"):
        ap.remedies(DATA, ap.Recipe(), skip=["tan"])
    with pytest.raises(TypeError, match="give a list of labels"):
        ap.remedies(DATA, ap.Recipe(), skip="relu")
    with pytest.raises(TypeError, match="more="):
        ap.remedies(DATA, ap.Recipe(), changes={})


@pytest.mark.parametrize("optimizer", [optax.adam, optax.chain(optax.sgd(0.1))])
def test_optimisers_of_optax_have_remedies_too(optimizer):
    rate = 1e-3 if optimizer is optax.adam else None
    found = labels(DATA, ap.Recipe(optimizer=optimizer, learning_rate=rate))
    assert ("Adam, rate tuned" in found) == (optimizer is not optax.adam)
    assert ("rate x 10" in found) == (optimizer is optax.adam)
    assert "SGD, rate tuned" in found


# ---- what cannot work ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (jax.nn.relu, r"at or above 0 .* targets reach down to -3.* below 1.43.* linear unit"),
        (jax.nn.sigmoid, r"within \[0, 1\] .* targets reach up to 9"),
        (jnp.tanh, r"within \[-1, 1\] "),
        (jax.nn.elu, r"at or above -1 "),
        (lambda z: -jax.nn.softplus(z), r"at or below -?0 .* up to 9"),
    ],
    ids=["relu", "sigmoid", "tanh", "elu", "minus softplus"],
)
@pytest.mark.slow
def test_outputs_that_do_not_reach_the_targets_are_named(end, said):
    with pytest.raises(ValueError, match=said):
        ap.remedies(LINE, ap.Recipe(model=Ending(end=end)))


@pytest.mark.slow
def test_outputs_that_reach_the_targets_are_not():
    for model in (
        Ending(end=lambda z: z),
        ap.scalings.PerFeature(Ending(end=jax.nn.sigmoid), out_center=-3.0, out_scale=12.0),
        ap.MLP((4,), "sigmoid"),
    ):
        assert doubts(LINE, ap.Recipe(model=model)) == []
    share = ap.given(SIX, SIX > 1)
    assert doubts(share, ap.Recipe(model=Ending(end=jax.nn.sigmoid))) == []


def test_outputs_that_miss_a_little_are_a_doubt():
    """Success is possible with a larger threshold, or where little is out of reach."""
    with pytest.warns(UserWarning, match="at or above 0"):
        ap.remedies(LINE, ap.Recipe(model=Ending()), below=2.0)
    y = np.maximum(2 * SIX - 1, 0)[:, None] - 0.05
    rows, reach = Rows(SIX[:, None], y), Range(0.0, np.inf)
    assert len(of_reach(ap.given(SIX, y), reach, rows, None)) == 1


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        (DATA, {"of": "test_accuracy", "above": 0.9}, r"there is no accuracy: .* below="),
        (DATA, {"above": 0.9}, r"above=0.9 needs of=, .*: this task has no accuracy"),
        (DATA, {"of": "test_loss", "below": 1}, r"no test points; recorded are: loss$"),
        (DATA, {"of": "validation_loss", "below": 1}, r"no rows are kept for validation"),
        (
            ap.given(SIX, 2 * SIX - 1, loss="binary_cross_entropy"),
            {},
            r"probabilities in \[0, 1\], and a target is -3: map the two classes to 0 and 1",
        ),
        (CLASSES, {}, r"labels go up to 1, and the network has 1 output: it needs 2"),
    ],
    ids=["accuracy", "above", "test", "validation", "shares", "outputs"],
)
def test_what_cannot_be_is_refused(task, options, said):
    with pytest.raises(ValueError, match=said):
        ap.remedies(task, ap.Recipe(), **options)


def test_what_hardly_works_is_a_warning():
    twice = np.concatenate([SIX, SIX])
    task = ap.given(twice, np.concatenate([SIX, SIX + 1]))
    with pytest.warns(UserWarning, match=r"14 training rows share .* loss below 0.25$"):
        ap.remedies(task, ap.Recipe())
    half = ap.given(SIX, SIX > 1, loss="binary_cross_entropy")
    assert "a sigmoid or softmax of its own" in doubts(half, ap.Recipe(model=Ending()))[0]
    assert "are the same in all" in doubts(ap.given(SIX, 0 * SIX), ap.Recipe())[0]
    flat = ap.given(twice, np.arange(14) // 7, loss="cross_entropy")
    assert "no function fits all" in doubts(flat, ap.Recipe(model=ap.MLP(outputs=2)))[0]


def test_targets_of_one_axis_are_learned_by_outputs_of_two():
    """The mistake of targets (n,) beside outputs (n, 1), which pairs every row with every other."""
    assert DATA.y.shape == (200, 1)
    assert doubts(DATA, ap.Recipe()) == []


# ---- the whole way -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_product_is_learned_by_relu_and_not_by_tanh_or_larger_first_weights():
    """A question of Keras' users: 1,000 rows of x0 x1, 16 units, Adam, batches of 32."""
    points = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    task = ap.given(points, points[:, 0] * points[:, 1], validation=0.2)
    recipe = ap.Recipe(
        model=ap.MLP((16,), "relu", initializer="keras"),
        optimizer="adam_keras",
        batch_size=32,
        steps=2500,
    )
    study = ap.remedies(task, recipe, below=1e-3)
    assert len(study.rows) > 20
    study.run(64, only=["baseline", "tanh", "first weights of He"], progress=False)
    rows = study.answer().main_rows.set_index("label")
    assert 0.75 <= rows.rate["baseline"] <= 0.97
    assert rows.rate["tanh"] == rows.rate["first weights of He"] == 0
    assert rows.verdict["tanh"] == "hurts"
    assert "best of 5 seeds" in rows.index


def told(**settings):
    """What a study of a change says of its learning rate."""
    change = settings.pop("change", {"targets": "standardise"})
    task = settings.pop("task", LINE)
    recipe = ap.Recipe(**{"model": ap.MLP((4,)), "optimizer": "sgd_keras", "steps": 8} | settings)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        rows = ap.Study(task, recipe, below=1.0, changes={"scaled": change}).rows
    return rows["scaled"], [str(one.message) for one in found]


def test_a_rate_that_standardised_targets_do_not_fit_is_told_with_the_one_that_they_do():
    variance = np.var(2 * SIX - 1)
    row, messages = told(learning_rate=0.05)
    assert len(messages) == 1
    assert "'scaled' standardises the targets and keeps the learning rate 0.05" in messages[0]
    assert f"the rate {0.05 * variance:.3g} on" in messages[0]
    assert f"'learning_rate': {0.05 / variance:.3g} to the change" in messages[0]
    assert row.recipe.learning_rate == 0.05


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"change": {"targets": "standardise", "learning_rate": 0.01}},
        {"change": {"targets": "standardise", "tune": {"learning_rate": [0.01, 0.1]}}},
        {"change": {"inputs": "standardise"}},
        {"task": ap.given(SIX, SIX / np.std(SIX))},
        {"model": ap.scalings.PerFeature(ap.MLP((4,)), out_center=(1.0,), out_scale=(3.0,))},
    ],
    ids=["no descent", "another rate", "tuned", "inputs", "variance 1", "scaled already"],
)
def test_a_rate_that_fits_or_is_named_is_not_told(settings):
    assert told(**settings)[1] == []


@pytest.mark.parametrize("optimizer", ["sgd", "sgd_keras", "sgd_sklearn"])
def test_the_rate_of_gradient_descent_follows_standardised_targets(optimizer):
    recipe = ap.Recipe(model=ap.MLP((4,)), optimizer=optimizer, learning_rate=0.05, steps=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = ap.remedies(LINE, recipe, below=1.0, skip=["second order"]).rows[SCALED[1]]
    assert row.recipe.learning_rate == pytest.approx(0.05 / np.var(2 * SIX - 1))
