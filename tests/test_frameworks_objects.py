"""Promise: a framework's objects train here as they do there: ten steps to the rounding of float32,
the losses as reported, first weights by their quantiles; what cannot be translated is refused.

The numbers are recorded by recorded/frameworks_objects.py; the frameworks are not needed.
"""

import copy
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK
from flax import linen, nnx
from sklearn import model_selection
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

import approx as ap
from approx.frameworks import (
    flax,
    keras,
    keras_layers,
    keras_objects,
    labels,
    pytorch,
    pytorch_objects,
    sklearn,
    table,
)
from approx.tasks import data

RECORDED = json.loads((Path(__file__).parent / "recorded" / "frameworks_objects.json").read_text())
X = np.array(RECORDED["x"])
Y = np.array(RECORDED["targets"]["y"])
MODULES = {"keras": keras, "pytorch": pytorch, "sklearn": sklearn}
# Each of these is of a kind of its own; the others are slow
QUICK_CASES = (
    ("keras", "softmax layer, smoothed cce"),
    ("keras", "EarlyStopping, best"),
    ("keras", "batch normalisation"),
    ("pytorch", "elu smooth_l1 nesterov"),
    ("pytorch", "OneCycleLR"),
    ("sklearn", "partial batches"),
)
# SciPy's line search is another one than ours, and so are the steps; a note of the question says so
OTHERWISE = (("sklearn", "lbfgs"),)
# The losses of these are reported in other units, or at other points, as notes of the questions say
OTHER_LOSS = (
    ("pytorch", "lbfgs"),
    ("sklearn", "two outputs adam"),
    ("sklearn", "identity sgd without momentum"),
    ("sklearn", "poisson"),
)
SUMMED = ("pytorch", "hardswish sum")  # over the four rows of a batch


def recorded_of(framework: str, case: str) -> dict:
    return RECORDED["cases"][framework][case]


def asked(framework: str, case: str, start: str = "as given") -> ap.frameworks.Question:
    """The question of a recorded case."""
    recorded = recorded_of(framework, case)
    y = np.array(RECORDED["targets"][recorded["target"]])
    if framework == "sklearn":
        return sklearn.translated(recorded["model"], X, y, start=start)
    return MODULES[framework].translated(recorded["model"], X, y, recorded["fit"], start=start)


def check_same(here: list[np.ndarray], there: list[np.ndarray], tolerance: float) -> None:
    """Every recorded array is one of ours, transposed or not, and each of ours is one of them."""
    left = list(here)
    for array in there:
        close = [
            n
            for n, mine in enumerate(left)
            for turned in (mine, mine.T)
            if turned.shape == array.shape and np.abs(turned - array).max() <= tolerance
        ]
        assert close, f"nothing here is {array}, among {left}"
        left.pop(close[0])
    assert not left


@pytest.mark.parametrize(
    ("framework", "case"),
    [
        pytest.param(*each, marks=[] if each in QUICK_CASES else pytest.mark.slow)
        for each in ((name, case) for name, cases in RECORDED["cases"].items() for case in cases)
        if each not in OTHERWISE
    ],
    ids=lambda v: v,
)
def test_ten_steps_as_recorded(framework, case):
    recorded, question = recorded_of(framework, case), asked(framework, case)
    steps = ap.training.recipes.settled(question.recipe, question.task).steps
    recipe = dataclasses.replace(question.recipe, records=range(0, steps + 1, steps // 5))
    keep = ap.Keep(("params",))
    trained = jax.jit(
        lambda: ap.train(jax.random.key(0), question.task, recipe, keep=keep),
        compiler_options=QUICK,
    )()
    there = [np.asarray(array, float) for array in recorded["end"]]
    size = max(np.abs(array).max() for array in there)
    # float32, ten steps: a few ulp a step. A wrong convention is off by 1e-3 and more.
    end = jax.tree.leaves(jax.tree.map(lambda leaf: np.asarray(leaf[0]), trained.params))
    check_same(end, there, 4e-5 * size)
    if (framework, case) in OTHER_LOSS:
        return
    losses = np.asarray(trained.batch_loss[1:]) * (4 if (framework, case) == SUMMED else 1)
    count = len(recorded["loss"])  # fewer than five where a rule ended the training
    np.testing.assert_allclose(losses[:count], recorded["loss"], rtol=6e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "case"),
    [
        ("keras", "clipnorm"),
        ("keras", "softmax cce"),
        ("keras", "batch normalisation"),
        ("pytorch", "elu smooth_l1 nesterov"),
        ("pytorch", "OneCycleLR"),
        ("sklearn", "partial batches"),
    ],
)
def test_ten_steps_in_run(framework, case):
    """There every number is traced, and lanes do the arithmetic."""
    recorded, question = recorded_of(framework, case), asked(framework, case)
    runs = ap.run(*question, seeds=2, lanes=8, keep=("params",), progress=False)
    there = [np.asarray(array, float) for array in recorded["end"]]
    size = max(np.abs(array).max() for array in there)
    end = jax.tree.leaves(ap.params(runs, seed=1))
    check_same([np.asarray(leaf) for leaf in end], there, 4e-5 * size)


def test_sixty_combinations_and_more_are_recorded():
    counts = {name: len(cases) for name, cases in RECORDED["cases"].items()}
    assert sum(counts.values()) >= 60
    page = table.PAGE.read_text()
    assert f"ten steps of {sum(counts.values())} combinations" in page
    for name, count in counts.items():
        assert f"ten steps of {count} combinations" in MODULES[name].CONVENTIONS.measured


# ---- first weights -------------------------------------------------------------------------------


def first_layer(model):
    """The first weights and biases of a layer that has five inputs."""
    init = jax.jit(model.init, compiler_options=QUICK)
    return init(jax.random.key(3), np.zeros((1, 5), np.float32))[0]


def drawn(initializer, activation="tanh"):
    """2,000 first weights and 400 biases of a layer of 400 units with five inputs."""
    model = ap.MLP((400,), activation, initializer=[initializer, "zeros"])
    layer = first_layer(model)
    return np.asarray(layer["w"]), np.asarray(layer["b"])


def check_quantiles(here: np.ndarray, there: list[float]) -> None:
    """Two samples of as many draws: their quantiles differ by no more than five standard errors."""
    spread = there[-1] - there[0]
    if not spread:
        assert np.ptp(here) == 0
        assert here.flat[0] == there[0]
        return
    levels = RECORDED["quantiles"]
    for level, theirs in zip(levels, there, strict=True):
        share = (here <= theirs).mean()
        error = np.sqrt(2 * max(level * (1 - level), 2 / here.size) / here.size)
        assert abs(share - level) < 5 * error, (level, share)


@pytest.mark.parametrize("n", range(len(RECORDED["first"]["keras"])))
def test_first_weights_of_keras(n):
    recorded = RECORDED["first"]["keras"][n]
    layer = {"kernel_initializer": recorded["kernel_initializer"]}
    w, b = drawn(keras_layers.both(layer))
    check_quantiles(w, recorded["weights"])
    check_quantiles(b, recorded["biases"])


@pytest.mark.parametrize(
    ("initializer", "activation", "recorded"),
    [
        ("pytorch", "relu", RECORDED["first"]["pytorch"]),
        ("sklearn", "relu", RECORDED["first"]["sklearn"]["relu"]),
        ("sklearn", "sigmoid", RECORDED["first"]["sklearn"]["logistic"]),
    ],
)
def test_first_weights_of_the_others(initializer, activation, recorded):
    model = ap.MLP((400,), activation, outputs=1, initializer=initializer)
    layer = first_layer(model)
    check_quantiles(np.asarray(layer["w"]), recorded["weights"])
    check_quantiles(np.asarray(layer["b"]), recorded["biases"])


def test_every_seed_draws_its_own_weights_unless_they_are_given():
    case = "keras", "relu mse sgd"
    first = {}
    for start in ("drawn", "as given"):
        model = asked(*case, start).recipe.model
        first[start] = [
            np.asarray(model.init(jax.random.key(seed), jnp.asarray(X))[0]["w"])
            for seed in range(2)
        ]
    given = recorded_of(*case)["model"]["layers"][0]["weights"][0]
    np.testing.assert_allclose(first["as given"][0], given, rtol=1e-6)
    np.testing.assert_array_equal(*first["as given"])
    assert np.abs(first["drawn"][0] - first["drawn"][1]).max() > 0.1
    assert asked(*case, "drawn").recipe.model.initializer == "keras"


# ---- what is refused -----------------------------------------------------------------------------


def altered(framework, case, *path, **changes):
    """A described model with other values at a place."""
    said = copy.deepcopy(recorded_of(framework, case)["model"])
    place = said
    for step in path:
        place = place[step]
    place.update(changes)
    return said


KERAS_REFUSED = [
    (("layers", 0), {"class_name": "PReLU"}, "layer 'PReLU' of Keras.* LeakyReLU"),
    (("layers", 0), {"class_name": "LSTM"}, "layer 'LSTM' of Keras.*flax module"),
    (("layers", 0, "config"), {"trainable": False}, r"layer 0, 'dense' \(Dense\) has trainable"),
    (("layers", 0, "config"), {"kernel_constraint": {"class_name": "UnitNorm"}}, "kernel_constr"),
    (("layers", 0, "config"), {"activation": "sparsemax"}, "activation 'sparsemax' of Keras"),
    (("layers", 0, "config"), {"dtype": "mixed_float16"}, "mixed_float16"),
    (("layers", 0, "config", "kernel_initializer"), {"class_name": "STFT"}, "initializer 'STFT'"),
    (("layers", 0, "config"), {"kernel_regularizer": {"class_name": "Own"}}, "regularizer 'Own'"),
    (("layers", 0, "config"), {"bias_regularizer": "l2"}, "l2 factors .*biases"),
    (("optimizer",), {"class_name": "Muon"}, "optimizer 'Muon' of Keras.* nearest is AdamW"),
    (("optimizer", "config"), {"use_ema": True}, "optimizer SGD has use_ema=True"),
    (("loss",), {"name": "dice"}, "'dice' of Keras.* nearest is BinaryCrossentropy"),
    (("loss",), {"name": "mse", "reduction": "sum"}, "reduction='sum'"),
]


@pytest.mark.parametrize(("path", "changes", "message"), KERAS_REFUSED, ids=lambda v: str(v)[:30])
def test_what_is_refused_of_keras(path, changes, message):
    said = altered("keras", "relu mse sgd", *path, **changes)
    start = "drawn" if "initializer" in str(path) else "as given"
    with pytest.raises(ValueError, match=message):
        keras.translated(said, X, Y, {"epochs": 1}, start=start)


PYTORCH_REFUSED = [
    (("layers", 1), {"class_name": "PReLU"}, "layer 'PReLU' of PyTorch.* LeakyReLU"),
    (("layers", 1), {"class_name": "Softmax", "dim": 0}, "dim=0"),
    (("layers", 0), {"frozen": ["bias"]}, r"layer 0 \(Linear\) does not train its \['bias'\]"),
    (("optimizer",), {"class_name": "Muon"}, "optimizer 'Muon' of PyTorch.* nearest is AdamW"),
    (("optimizer",), {"maximize": True}, "maximize=True"),
    (("loss",), {"class_name": "KLDivLoss"}, "KLDivLoss.* nearest is CrossEntropyLoss"),
    (("loss",), {"weight": [1.0]}, "weight"),
    (("loss",), {"reduction": "none"}, "reduction='none'"),
]


@pytest.mark.parametrize(("path", "changes", "message"), PYTORCH_REFUSED, ids=lambda v: str(v)[:30])
def test_what_is_refused_of_pytorch(path, changes, message):
    said = altered("pytorch", "relu mse sgd", *path, **changes)
    with pytest.raises(ValueError, match=message):
        pytorch.translated(said, X, Y, {"epochs": 1}, start="as given")


def test_weights_that_pytorch_would_not_draw_are_noticed():
    said = recorded_of("pytorch", "relu mse sgd")["model"]
    with pytest.raises(ValueError, match=r"weight .* bound 1/sqrt\(3\) is 0.577.* start=.as given"):
        pytorch.translated(said, X, Y, {"epochs": 1})


def test_an_initialiser_that_was_set_by_hand_is_said():
    said = recorded_of("pytorch", "relu mse sgd")["model"]
    chosen = ("xavier_uniform", "zeros")
    recipe = pytorch.translated(said, X, Y, {"epochs": 1}, start=chosen).recipe
    assert recipe.model.initializer == ("keras", "zeros")


def test_rows_for_validation_and_for_the_test_are_converted_as_the_others():
    said = recorded_of("keras", "softmax sparse")["model"]
    labels = np.array(RECORDED["targets"]["labels"])
    rows = {"validation_data": (X[:3], labels[:3]), "test": (X[:2], labels[:2, None])}
    task, recipe = keras.translated(said, X, labels, {"epochs": 1, "batch_size": 9}, rows=rows)
    (trained, _), (held, targets) = task.split(jax.random.key(0), jax.random.key(0))
    assert len(trained) == 8
    np.testing.assert_allclose(held, X[:3], rtol=1e-6)
    np.testing.assert_array_equal(targets, np.eye(3)[labels[:3]])
    np.testing.assert_array_equal(task.y_test, np.eye(3)[labels[:2]])
    assert recipe.batch_size is None  # nine rows are more than there are


def test_batches_of_a_loader_that_drops_the_last():
    said = recorded_of("pytorch", "relu mse sgd")["model"]
    fit = {"epochs": 3, "batch_size": 3, "drop_last": True}
    task, recipe = pytorch.translated(said, X, Y, fit, start="as given")
    assert ap.training.recipes.settled(recipe, task).steps == 6
    with pytest.raises(ValueError, match="batch_size=9 with drop_last leaves out all 8 rows"):
        pytorch.translated(said, X, Y, fit | {"batch_size": 9}, start="as given")


def test_a_scheduler_that_looks_at_a_loss():
    said = copy.deepcopy(recorded_of("pytorch", "relu mse sgd")["model"])
    numbers = {"factor": 0.5, "patience": 2, "threshold": 0.01, "threshold_mode": "rel"}
    numbers |= {"mode": "min", "cooldown": 1, "min_lrs": [1e-4], "eps": 1e-8}
    said["scheduler"] = {"class_name": "ReduceLROnPlateau", **numbers}
    asked = {"fit": {"epochs": 3}, "start": "as given"}
    rule = pytorch.translated(said, X, Y, **asked).recipe.plateau[0]
    assert (rule.of, rule.patience, rule.relative, rule.min_rate) == ("epoch_loss", 2, True, 1e-4)
    rows = {"validation_data": (X[:2], Y[:2])}
    validated = pytorch.translated(said, X, Y, rows=rows, **asked)
    assert validated.recipe.plateau[0].of == "validation_loss"
    said["scheduler"]["eps"] = 1e-3
    with pytest.raises(ValueError, match=r"ReduceLROnPlateau has eps=0.001"):
        pytorch.translated(said, X, Y, **asked)


def test_arguments_that_there_are_not():
    with pytest.raises(TypeError, match="no argument 'sample_weight': all rows count alike"):
        sklearn.question(MLPRegressor(), X, Y[:, 0], sample_weight=X)
    with pytest.raises(TypeError, match=r"no argument 'record'.*did you mean 'records'"):
        sklearn.question(MLPRegressor(), X, Y[:, 0], record=3)


def test_targets_that_a_framework_would_broadcast_are_refused():
    said = recorded_of("keras", "relu mse sgd")["model"]
    with pytest.raises(ValueError, match="y has 2 columns, and the network 1 outputs"):
        keras.translated(said, X, np.zeros((8, 2)), {"epochs": 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warm_start": True}, "warm_start=True"),
        ({"solver": "newton"}, "solver='newton'; there is: adam, sgd, lbfgs"),
        (
            {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True},
            "adaptive.* nearest",
        ),
    ],
)
def test_what_is_refused_of_sklearn(options, message):
    with pytest.raises(ValueError, match=message):
        sklearn.question(MLPRegressor(**options), X, Y[:, 0])


def test_what_is_no_object_of_the_framework():
    with pytest.raises(TypeError, match="str is no Keras model"):
        keras.question("model.keras", X, Y)
    with pytest.raises(TypeError, match="str is no PyTorch module"):
        pytorch.question("model.pt", X, Y, optimizer=SimpleNamespace(), loss=None, epochs=1)
    module = named("ReLU", named_children=lambda _: iter(()), named_parameters=lambda _: [])
    module.named_buffers = list
    with pytest.raises(TypeError, match=r"mse_loss is no loss module; .*torch.nn.MSELoss"):
        pytorch_objects.described(module, None, named("mse_loss"))
    with pytest.raises(TypeError, match="StandardScaler cannot be translated"):
        sklearn.question(StandardScaler(), X, Y)
    with pytest.raises(TypeError, match=r"no optimiser; .*optax.adam"):
        flax.question(linen.Dense(1), X, Y, optimizer="adam", epochs=1)


def test_a_start_that_there_is_not():
    with pytest.raises(ValueError, match='start is \'zeros\'; there is: "drawn", "as given"'):
        sklearn.question(MLPRegressor(), X, Y[:, 0], start="zeros")
    with pytest.raises(ValueError, match="was not fitted"):
        sklearn.question(MLPRegressor(), X, Y[:, 0], start="as given")


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ({"epochs": None}, "epochs is None; it must be a whole number"),
        ({"epochs": 1, "batch_size": 0}, "batch_size is 0; it must be a whole number"),
        ({"epochs": 1, "batch_size": 2.5}, "batch_size is 2.5; it must be a whole number"),
        ({"epochs": 1, "batch_size": "8"}, "batch_size is '8'; it must be a whole number"),
    ],
)
@pytest.mark.parametrize("framework", ["keras", "pytorch"])
def test_lengths_and_batches_that_are_none(framework, fit, message):
    said = recorded_of(framework, "relu mse sgd")["model"]
    with pytest.raises(ValueError, match=message):
        MODULES[framework].translated(said, X, Y, fit, start="as given")


@pytest.mark.parametrize("framework", ["keras", "pytorch"])
def test_rows_that_the_network_does_not_take(framework):
    said = recorded_of(framework, "relu mse sgd")["model"]

    def translated(x, y, **options):
        return MODULES[framework].translated(said, x, y, {"epochs": 1}, start="as given", **options)

    with pytest.raises(ValueError, match="takes 2 inputs, and x gives 1"):
        translated(X[:, :1], Y)
    with pytest.raises(ValueError, match="x has no rows"):
        translated(X[:0], Y)
    with pytest.raises(TypeError, match="y is a NoneType"):
        translated(X, None)
    with pytest.raises(ValueError, match=r"inputs of validation_data have shape \(8, 1\)"):
        translated(X, Y, rows={"validation_data": (X[:, :1], Y)})
    with pytest.raises(TypeError, match=r"validation_split is '0.2'"):
        translated(X, Y, rows={"validation": "0.2"})


def test_layers_of_pytorch_that_do_not_fit_each_other():
    said = altered("pytorch", "relu mse sgd", "layers", 2, in_features=7)
    with pytest.raises(ValueError, match=r"layer 2 \(Linear\) takes 7 inputs, and layer 0 gives"):
        pytorch.translated(said, X, Y, {"epochs": 1}, start="as given")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.0, 1.0, np.nan]), "y holds nan; every row needs a label"),
        (np.array(["a", "b", None], object), "y holds None; every row needs a label"),
        (np.array([0.0, 1.0, 0.5]), "y holds 0.5; labels of a classifier"),
    ],
)
def test_labels_that_scikit_learn_refuses(y, message):
    with pytest.raises(ValueError, match=message):
        sklearn.question(MLPClassifier(), X[:3], y)


def test_labels_must_be_whole_numbers():
    with pytest.raises(ValueError, match=r"y holds 0.5; labels must be whole numbers"):
        labels.as_labels(np.array([0.0, 0.5]), 2)
    with pytest.raises(ValueError, match="y holds words, such as 'a'; give numbers"):
        labels.as_labels(np.array(["a", "b"]), 2)


# ---- objects as dictionaries ---------------------------------------------------------------------


def named(kind: str, **attributes):
    """An object of a class with this name, as frameworks have them."""
    return type(kind, (), attributes)()


def test_a_functional_model_that_is_no_chain():
    def node(name, *sources):
        history = [{"config": {"keras_history": [each, 0, 0]}} for each in sources]
        return {"name": name, "class_name": "Dense", "inbound_nodes": [{"args": history}]}

    keras_objects.check_chain([node("a"), node("b", "a"), node("c", "b")])
    with pytest.raises(ValueError, match=r"layer 'c' \(Dense\) takes \['a'\].*before it, 'b'"):
        keras_objects.check_chain([node("a"), node("b", "a"), node("c", "a")])
    with pytest.raises(ValueError, match=r"takes \['a', 'b'\]"):
        keras_objects.check_chain([node("a"), node("b", "a"), node("c", "a", "b")])


def test_groups_of_parameters_that_differ():
    group = {"params": [1], "lr": 0.1, "momentum": 0.9}
    optimizer = named("SGD", param_groups=[group, group | {"lr": 0.2}])
    with pytest.raises(ValueError, match="groups differ in lr"):
        pytorch_objects.described_optimizer(optimizer)


def test_a_scheduler_is_tabulated_on_copies():
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.4, "momentum": 0.9}])

    class Halving:
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self):
            self.optimizer.param_groups[0]["lr"] /= 2

    class Moving(Halving):
        def step(self):
            self.optimizer.param_groups[0]["momentum"] -= 0.1

    assert pytorch_objects.tabulated(optimizer, Halving(optimizer), 3) == [1, 0.5, 0.25]
    assert optimizer.param_groups[0]["lr"] == 0.4
    with pytest.raises(ValueError, match=r"Moving moves momentum too.*cycle_momentum"):
        pytorch_objects.tabulated(optimizer, Moving(optimizer), 3)


def test_a_scheduler_belongs_to_its_optimizer():
    ours, other = SimpleNamespace(param_groups=[{"lr": 0.4}]), SimpleNamespace()
    scheduler = named("StepLR", optimizer=other, step=lambda _: None)
    with pytest.raises(ValueError, match="StepLR moves the rate of another optimizer"):
        pytorch_objects.described_scheduler(ours, scheduler, 2)


def test_an_optimizer_belongs_to_its_module():
    weight, other = object(), object()
    module = named("Linear", parameters=lambda _: [weight])
    pytorch_objects.check_parameters(module, named("SGD", param_groups=[{"params": [weight]}]))
    with pytest.raises(ValueError, match="parameters of another module"):
        pytorch_objects.check_parameters(module, named("SGD", param_groups=[{"params": [other]}]))


def test_hooks_and_shared_layers_of_pytorch():
    layer = named("Linear", parameters=lambda _: iter([1]))
    twice = named("Sequential", __iter__=lambda _: iter([layer, layer]))
    with pytest.raises(ValueError, match=r"stands twice .* shares its weights"):
        pytorch_objects.layers_of(twice)
    with pytest.raises(ValueError, match="Linear has a hook"):
        pytorch_objects.check_hooks(named("Linear", _forward_hooks={1: print}))


def test_callbacks_as_fit_takes_them():
    callback = named("EarlyStopping", on_epoch_end=None)
    assert keras_objects.listed(None) == []
    assert keras_objects.listed(callback) == keras_objects.listed([callback]) == [callback]
    with pytest.raises(TypeError, match="'early' is no callback"):
        keras_objects.listed(["early"])


def test_a_weight_of_the_loss_is_refused():
    compiled = SimpleNamespace(_user_loss_weights=2.0)
    given = {"optimizer": 1, "loss": "mse", "layers": [1], "_compile_loss": compiled}
    model = named("Sequential", get_compile_config=None, **given)
    with pytest.raises(ValueError, match=r"loss_weights=2.0"):
        keras_objects.described(model)


def test_the_rates_of_a_function_of_the_epoch():
    assert keras_objects.rates_of(lambda epoch, rate: rate / 2, 3, 0.8) == [0.4, 0.2, 0.1]
    assert keras_objects.rates_of(lambda epoch: epoch + 1.0, 2, 0.8) == [1, 2]


# ---- scikit-learn's and flax's objects themselves ------------------------------------------------


def test_a_pipeline_with_scalers_asks_in_the_units_of_the_data():
    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 3, (40, 2)), rng.normal(size=40)
    pipeline = make_pipeline(StandardScaler(), MinMaxScaler((-1, 1)), MLPRegressor(max_iter=2))
    task, recipe = sklearn.question(pipeline, x, y)
    np.testing.assert_array_equal(task.x, x)
    inner = recipe.model.model
    found = inner.inward(recipe.model.inward(jnp.asarray(x)))
    np.testing.assert_allclose(found, pipeline[:-1].fit_transform(x), atol=1e-5)
    assert ap.scalings.core(recipe.model).widths == (100,)


def test_other_steps_and_transformed_targets_change_the_rows():
    x, y = np.arange(6.0)[:, None], np.arange(6.0)
    regressor = make_pipeline(PolynomialFeatures(2, include_bias=False), MLPRegressor(max_iter=2))
    wrapper = TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())
    question = sklearn.question(wrapper, x, y, test=(x[:2], y[:2]))
    np.testing.assert_allclose(question.task.x, np.column_stack([x, x**2]))
    np.testing.assert_allclose(question.task.y.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(question.task.y_test, question.task.y[:2])
    assert any("PolynomialFeatures" in note for note in question.notes)
    assert any("units of the transformed targets" in note for note in question.notes)


def test_a_classifier_of_words():
    words = np.array(["no", "yes", "no", "yes", "maybe", "no", "maybe", "yes"])
    question = sklearn.question(MLPClassifier((5,), early_stopping=True), X, words)
    assert question.task.y.tolist() == [1, 2, 1, 2, 0, 1, 0, 2]
    assert question.task.hold_out == "random"
    assert question.recipe.stop[0].of == "validation_accuracy"
    assert question.recipe.stop[0].restore_best
    with pytest.raises(ValueError, match=r"labels \['never'\], which the training rows have not"):
        sklearn.question(MLPClassifier(), X, words, test=(X[:1], ["never"]))


class Net(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(2, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs, momentum=0.5)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.out = nnx.Linear(3, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(self.drop(nnx.relu(self.norm(self.hidden(x)))))


def test_an_nnx_module_is_called_as_it_is():
    made = {"optimizer": nnx.Optimizer(Net(nnx.Rngs(0)), optax.sgd(0.1), wrt=nnx.Param)}
    question = flax.question(lambda rngs: Net(rngs=rngs), X, Y, epochs=3, **made)
    model, key = question.recipe.model, jax.random.key(1)
    init, apply, averages_of = (
        jax.jit(function, compiler_options=QUICK)
        for function in (model.init, model.apply, model.averages)
    )
    params = init(key, X)
    module = Net(nnx.Rngs(key))
    module.eval()
    np.testing.assert_allclose(apply(params, X), module(X), rtol=1e-6)
    one, other = (np.asarray(apply(params, X, jax.random.key(seed))) for seed in (1, 2))
    assert np.abs(one - other).max() > 1e-3
    hidden = np.asarray(module.hidden(X))
    averages = averages_of(params, X, key)
    np.testing.assert_allclose(averages["norm"]["mean"], hidden.mean(0) / 2, atol=1e-6)
    np.testing.assert_allclose(averages["norm"]["var"], 0.5 + hidden.var(0) / 2, rtol=1e-5)


def test_an_nnx_module_that_has_drawn_its_weights():
    with pytest.raises(ValueError, match=r"Net has drawn its weights already.*lambda rngs"):
        flax.question(Net(nnx.Rngs(0)), X, Y, optimizer=optax.sgd(0.1), epochs=3)
    question = flax.question(
        Net(nnx.Rngs(0)), X, Y, optimizer=optax.sgd(0.1), epochs=3, start="as given"
    )
    model = question.recipe.model
    first, other = (model.init(jax.random.key(seed), X)["params"] for seed in range(2))
    np.testing.assert_array_equal(first["hidden"]["kernel"], other["hidden"]["kernel"])


def test_a_loss_of_flax_has_one_value_for_each_row():
    loss = flax.loss_of(optax.l2_loss)
    np.testing.assert_allclose(loss(X, 0 * X), (X**2 / 2).mean(1))
    with pytest.raises(ValueError, match="one number for all rows"):
        flax.loss_of(lambda outputs, targets: ((outputs - targets) ** 2).mean())(X, 0 * X)


@pytest.mark.slow
def test_a_recipe_without_any_number_runs(tmp_path):
    """All numbers of a finished optax transformation and of a module are inside them."""
    asked = {"optimizer": optax.sgd(0.1), "epochs": 4, "records": [4]}
    question = flax.question(lambda rngs: Net(rngs=rngs), X, Y, **asked)
    runs = ap.run(*question, seeds=2, progress=False)
    assert np.isfinite(runs.loss.values).all()
    assert runs.loss.values[0, -1] != runs.loss.values[1, -1]
    again = ap.run(*question, seeds=2, out=tmp_path / "runs", progress=False)
    np.testing.assert_array_equal(again.loss, runs.loss)


# ---- the page ------------------------------------------------------------------------------------


def test_the_table_of_the_documentation_is_current():
    current = table.PAGE.read_text()
    assert current == table.page(current, table.all_conventions()), (
        "run python -m approx.frameworks.table"
    )


def test_a_question_is_a_pair():
    question = asked("keras", "relu mse sgd")
    task, recipe = question
    assert task is question.task
    assert recipe is question.recipe
    assert all(note.endswith(".") for note in question.notes)


def test_a_flax_module_that_does_not_fit_is_refused_at_once():
    asked = {"optimizer": optax.sgd(0.1), "epochs": 1}
    with pytest.raises(ValueError, match=r"cannot take inputs of shape \(\d+, 1\): "):
        flax.question(lambda rngs: Net(rngs=rngs), X[:, :1], Y, **asked)
    with pytest.raises(TypeError, match=r"Linear is a class; give a linen module, Linear\(...\)"):
        flax.question(nnx.Linear, X, Y, **asked)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.55])
def test_scikit_learn_keeps_as_many_rows_as_its_own_split(fraction):
    """`ceil(fraction rows)`, in floats."""
    for rows in range(10, 200, 7):
        kept = data.kept_rows(rows, sklearn.held_share(fraction, rows))
        split = model_selection.train_test_split(np.zeros(rows), test_size=fraction)
        assert kept == len(split[0])
