"""Promise: frameworks by their words train as the recorded ones do, and wrong words are named.

The numbers are those of tests/recorded/words: weights after one, two and three steps or epochs from
given weights, what the framework prints, and quantiles of its own first weights.
"""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import QUICK

import approx as ap
from approx.frameworks import (
    brainjs,
    convnetjs,
    fann,
    matlab,
    neurolab,
    nnet,
    opencv,
    pyrenn,
    synaptic,
    tfjs,
    weka,
)

RECORDED = json.loads((Path(__file__).parent / "recorded" / "words" / "words.json").read_text())
X = np.array([[np.sin(2 * r + 3 * c) for c in range(2)] for r in range(6)])
Y = np.array([[0.5 + 0.4 * np.cos(r + 2 * o) for o in range(2)] for r in range(6)])
START = 0.5 * np.sin(3 * np.arange(17) + 1)
LABELS = np.array([0, 1, 1, 0, 1, 1])
CLASSES = np.eye(2)[LABELS]
ENDS = {"epochs": 3}


def parts(flat: Any, outputs: int = 2) -> list[dict[str, Any]]:
    """A flat vector of parameters, in the order of problem.md, as those of an MLP."""
    w1, b1, w2, b2 = np.split(np.asarray(flat, float), (6, 9, 9 + 3 * outputs))
    return [
        {"w": w1.reshape(2, 3), "b": b1},
        {"w": w2.reshape(3, outputs), "b": b2},
    ]


def flat(params: Any) -> np.ndarray:
    """Parameters in the order of problem.md."""
    return np.concatenate([np.ravel(layer[name]) for layer in params for name in ("w", "b")])


# ---- the questions of the recorded cases ---------------------------------------------------------


def of_brainjs(options):
    return brainjs.question(X, Y, hiddenLayers=[3], iterations=3, errorThresh=1e-12, **options)


def of_synaptic(options):
    words = {"squash": options["hidden"], "cost": options["cost"]}
    return synaptic.question(X, Y, hidden=3, iterations=3, error=1e-12, **words)


def of_convnetjs(options):
    return convnetjs.question(X, Y, hidden=3, epochs=3, **options)


def of_tfjs(options):
    name, _, rate = options["optimizer"].partition(" ")
    # `tf.train.sgd(0.1)` and the like, whose rates the recorder chose
    chosen = {"sgd": 0.1, "momentum": 0.1, "rmsprop": 0.03, "adagrad": 0.03}
    words = {"learningRate": float(rate) if rate else chosen.get(name), "batchSize": 4}
    more = {"epochs": 3, "shuffle": False, "loss": options["loss"], "activation": "tanh"}
    return tfjs.question(X, Y, units=3, optimizer=name, **words, **more)


def of_nnet(options):
    y = CLASSES if options.get("softmax") else Y
    return nnet.question(X, y, size=3, **options)


def of_fann(options):
    words = {
        "activation_function_hidden": options["hidden"],
        "activation_function_output": options["output"],
        "training_algorithm": options["algorithm"],
        "train_error_function": options["errors"],
        "learning_momentum": 0.1 if options["algorithm"] == "INCREMENTAL" else 0.0,
    }
    return fann.question(X, Y, num_neurons_hidden=3, max_epochs=3, dtype="float64", **words)


def of_opencv(options):
    scales = {"no_input_scale": not options["scaled"], "no_output_scale": not options["scaled"]}
    words = {"fparam1": options["a"], "fparam2": options["b"], "epsilon": 0.0}
    return opencv.question(X, Y, hidden=3, max_count=3, **scales, **words)


def of_neurolab(options):
    options = dict(options)
    y = Y
    del options["errorf"]
    late = not options.get("adapt")
    words = {"minmax": [[-2, 3]] * 2, "size": [3, 2], "goal": 0.0, "epochs": 3 + late}
    return neurolab.question(X, y, **words, **options)


def of_pyrenn(options):
    scale = options["scale"]
    options = {name: value for name, value in options.items() if name != "scale"}
    return pyrenn.question(X * scale, np.minimum(Y * scale, 2.5), nn=[2, 3, 2], **options)


MADE = {
    "brainjs": of_brainjs,
    "synaptic": of_synaptic,
    "convnetjs": of_convnetjs,
    "tfjs": of_tfjs,
    "fann": of_fann,
    "opencv": of_opencv,
    "neurolab": of_neurolab,
}
# What the framework prints for each recorded loss of a row
PRINTED = {"neurolab": len(X)}


def translatable(framework: str, options: dict[str, Any]) -> bool:
    """Whether a recorded case has a translation; the others are refused, see below."""
    refused = {
        "opencv": options.get("method") == "BACKPROP",
        "neurolab": bool(options.get("rr") or options.get("errorf"))
        or options.get("trainf") == "train_bfgs",
    }
    return not refused.get(framework, False)


CASES = [
    (framework, case)
    for framework in MADE
    for case, found in RECORDED[framework]["cases"].items()
    if translatable(framework, found["options"])
]


def path(question: Any, start: Any, marks: list[int], key: Any = None) -> tuple[Any, Any]:
    """Parameters and losses after so many steps each, from given first parameters."""
    task, recipe = question
    recipe = ap.training.recipes.settled(recipe, task)
    with jax.enable_x64(recipe.dtype == "float64"):
        begun = jax.random.key(0) if key is None else key
        state = ap.init(begun, task, recipe, params=start)
        keys = ap.training.inputs.as_keys(begun)
        rows = ap.training.inputs.prepare(keys, task, recipe).rows

        def steps(state, begin, end):
            def one(n, state):
                batch = ap.training.inputs.batch(keys, n, rows, task, recipe)
                return ap.training.steps.step(state, batch, task, recipe)

            return jax.lax.fori_loop(begin, end, one, state)

        run = jax.jit(steps, compiler_options=QUICK)
        found, losses = [], []
        for begin, end in zip([0, *marks], marks, strict=False):
            before = state
            state = run(state, begin, end)
            seen = float(state.row_sum - before.row_sum)
            if seen:  # a method of second order counts no rows
                losses.append(float(state.loss_sum - before.loss_sum) / seen)
            found.append(flat(jax.tree.map(np.asarray, state.params)))
    return found, losses


def quick_or_slow(cases: list[Any], quick: tuple[str, ...]) -> list[Any]:
    """The cases, of which those are quick tests whose name is among the quick ones."""
    marked = []
    for framework, case in cases:
        marks = [] if f"{framework} {case}" in quick else [pytest.mark.slow]
        marked.append(pytest.param(framework, case, marks=marks))
    return marked


def first_quick(framework: str) -> list[Any]:
    """A framework's cases, of which the first is a quick test."""
    first, *others = RECORDED[framework]["cases"]
    return [first, *(pytest.param(case, marks=pytest.mark.slow) for case in others)]


ONE_OF_EACH = (
    "brainjs sigmoid {}",
    "synaptic LOGISTIC MSE",
    "fann RPROP SIGMOID_STEPWISE SIGMOID_STEPWISE TANH",
    "tfjs adadelta meanSquaredError",
)


@pytest.mark.parametrize(
    ("framework", "case"), quick_or_slow(CASES, ONE_OF_EACH), ids=lambda value: value
)
def test_three_steps_from_given_weights_are_the_recorded_ones(framework, case):
    """The tolerance is that of float32 where the framework or the recipe computes in it."""
    recorded = RECORDED[framework]["cases"][case]
    question = MADE[framework](recorded["options"])
    _, recipe = question
    per_epoch = 1 if recipe.batch_size is None else -(-len(X) // recipe.batch_size)
    found, losses = path(question, parts(START), [per_epoch * n for n in (1, 2, 3)])
    close = 2e-5 if recipe.dtype == "float32" else 1e-7
    np.testing.assert_allclose(found, recorded["after"], atol=close)
    # neurolab says the sum, after the step; convnetjs leaves the penalty out of what it prints
    comparable = framework != "neurolab" and "l2_decay" not in case
    if "reported" in recorded and comparable:
        np.testing.assert_allclose(losses, recorded["reported"], rtol=3e-5)


@pytest.mark.parametrize("case", first_quick("weka"))
def test_weka_goes_through_its_own_order(case):
    """Weka's order follows from its seed: the rows are put into the recorded one here."""
    recorded = RECORDED["weka"]["cases"][case]
    options = recorded["options"]
    words = {"learningRate": options["learning_rate"], "momentum": options["momentum"]}
    y = LABELS if options["nominal"] else Y[:, 0]
    order = recorded["order"]
    question = weka.question(
        X[order],
        y[order],
        hiddenLayers="3",
        trainingTime=3,
        decay=options["decay"],
        nominal=options["nominal"],
        batches="order",
        **words,
    )
    outputs = 2 if options["nominal"] else 1
    found, _ = path(question, parts(recorded["start"], outputs), [6, 12, 18])
    np.testing.assert_allclose(found, recorded["after"], atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*RECORDED["nnet"]["cases"]])
def test_nnet_makes_the_iterations_of_r(case):
    """`maxit` of 1, 2 and 3, and the end; the start is given in nnet's own order, as Wts."""
    recorded = RECORDED["nnet"]["cases"][case]
    own = np.empty(17)
    own[np.array([2, 5, 8, 3, 6, 9, 1, 4, 7, 11, 15, 12, 16, 13, 17, 10, 14]) - 1] = START
    for steps, after in zip((1, 2, 3), recorded["after"], strict=True):
        question = of_nnet({**recorded["options"], "Wts": own, "maxit": steps})
        start = question.recipe.model.init(jax.random.key(0), jnp.asarray(X))
        np.testing.assert_allclose(flat(start), START, atol=1e-6)
        found, _ = path(question, parts(START), [20])
        np.testing.assert_allclose(found[0], after, atol=1e-7)
    value, iterations_used_up = recorded["final"]
    if iterations_used_up:  # after a hundred iterations rounding has led elsewhere
        return
    question = of_nnet(recorded["options"])
    task, recipe = question
    with jax.enable_x64(True):
        params = parts(path(question, parts(START), [recipe.steps])[0][0])
        found = len(X) * float(ap.loss(params, jnp.asarray(X), jnp.asarray(task.y), task, recipe))
    np.testing.assert_allclose(found, value, rtol=1e-5)


@pytest.mark.parametrize("case", first_quick("pyrenn"))
def test_pyrenn_makes_the_same_successful_trials(case):
    """Iterations of pyrenn are trials that lower the error; here every trial is a step."""
    recorded = RECORDED["pyrenn"]["cases"][case]
    found, _ = path(of_pyrenn(recorded["options"]), parts(START), list(range(1, 16)))
    distinct = [found[0]]
    for each in found[1:]:
        if not np.array_equal(each, distinct[-1]):
            distinct.append(each)
    np.testing.assert_allclose(distinct[1:4], recorded["after"], atol=1e-7)


# ---- first weights -------------------------------------------------------------------------------

FIRST = {
    "brainjs": lambda: of_brainjs({}),
    "synaptic": lambda: of_synaptic({"hidden": "LOGISTIC", "cost": "MSE"}),
    "convnetjs": lambda: of_convnetjs({"activation": "tanh"}),
    "tfjs": lambda: of_tfjs({"optimizer": "adam", "loss": "meanSquaredError"}),
    "nnet": lambda: of_nnet({}),
    "fann": lambda: of_fann(RECORDED["fann"]["cases"]["RPROP SIGMOID SIGMOID TANH"]["options"]),
    "opencv": lambda: opencv.question(X, Y, hidden=3),
    "neurolab": lambda: neurolab.question(X, Y, minmax=[[-2, 3]] * 2, size=[3, 2]),
    "pyrenn": lambda: pyrenn.question(X, Y, nn=[2, 3, 2]),
    "weka": lambda: weka.question(X, Y[:, 0], hiddenLayers=3),
}


@pytest.mark.parametrize("framework", [*FIRST])
def test_first_weights_have_the_recorded_quantiles(framework):
    """Of 4,000 draws, by their places in the recorded sample: the .05, .25, .5, .75, .95 quantiles.

    A share of 4,000 or more numbers at a given bound has a standard deviation of at most 0.008.
    """
    _, recipe = FIRST[framework]()
    model = ap.scalings.core(recipe.model)
    keys = jax.random.split(jax.random.key(3), 4000)
    drawn = jax.jit(jax.vmap(model.init, (0, None)), compiler_options=QUICK)(keys, X)
    for name, array in zip(("w1", "b1", "w2", "b2"), jax.tree.leaves(in_order(drawn)), strict=True):
        recorded = RECORDED[framework]["init"][name]
        values = np.sort(np.ravel(array))
        if recorded[0] == recorded[-1]:
            np.testing.assert_array_equal(values, recorded[0])
            continue
        for share, bound in zip((0.05, 0.25, 0.5, 0.75, 0.95), recorded[1:-1], strict=True):
            below = np.mean(values < bound - 1e-4), np.mean(values <= bound + 1e-4)
            assert below[0] - 0.035 <= share <= below[1] + 0.035, (name, bound, below)


def in_order(params: Any) -> list[Any]:
    """w1, b1, w2, b2."""
    return [layer[name] for layer in params for name in ("w", "b")]


# ---- wrong words ---------------------------------------------------------------------------------

WRONG = {
    "leaky-relu": lambda: brainjs.question(X, Y, activation="leaky-relu"),
    "'sigmoid'": lambda: brainjs.question(X, Y, activation="sigmoyd"),
    "learningRate is 1": lambda: brainjs.question(X, Y, learningRate=1),
    "momentum is 0": lambda: brainjs.question(X, Y, momentum=0),
    "logistic": lambda: synaptic.question(X, 3 * Y, hidden=3),
    "nearest is MSE": lambda: synaptic.question(X, Y, hidden=3, cost="BINARY"),
    "does not divide the 6 rows": lambda: convnetjs.question(
        X, Y, hidden=3, epochs=1, batch_size=4
    ),
    "'adagrad'": lambda: convnetjs.question(X, Y, hidden=3, epochs=1, method="adagrat"),
    "maxout": lambda: convnetjs.question(X, Y, hidden=3, epochs=1, activation="maxout"),
    "hardSigmoid": lambda: tfjs.question(X, Y, units=3, optimizer="adam", activation="hardSigmoid"),
    "skip=True": lambda: nnet.question(X, Y, size=3, skip=True),
    "exclude each other": lambda: nnet.question(X, Y, size=3, linout=True, entropy=True),
    "Wts has 3 numbers": lambda: nnet.question(X, Y, size=3, Wts=[1, 2, 3]),
    "log\\(x\\)": lambda: nnet.question("y ~ log(x)", {"x": [1.0], "y": [1.0]}, size=3),
    "THRESHOLD": lambda: fann.question(
        X, Y, num_neurons_hidden=3, max_epochs=1, activation_function_hidden="THRESHOLD"
    ),
    "QUICKPROP": lambda: fann.question(
        X, Y, num_neurons_hidden=3, max_epochs=1, training_algorithm="QUICKPROP"
    ),
    "BACKPROP": lambda: opencv.question(X, Y, hidden=3, train_method="BACKPROP"),
    "a layer of one neuron": lambda: opencv.question(X, Y, hidden=1),
    "validation threshold": lambda: weka.question(X, Y[:, 0], validationSetSize=20),
    "one class": lambda: weka.question(X, Y),
    "rr is 0.1": lambda: neurolab.question(X, Y, minmax=[[-1, 1]] * 2, size=[3, 2], rr=0.1),
    "ends with 1 outputs": lambda: neurolab.question(X, Y, minmax=[[-1, 1]] * 2, size=[3, 1]),
    "ranges that differ": lambda: neurolab.question(X, Y, minmax=[[-1, 1], [0, 1]], size=[3, 2]),
    "begin with 2 inputs": lambda: pyrenn.question(X, Y, nn=[1, 3, 2]),
    "square": lambda: pyrenn.question(X, Y * [3, 5], nn=[2, 3, 2]),
    "trainbr": lambda: matlab.question(X, Y, trainFcn="trainbr"),
    "none of the 6 rows": lambda: matlab.question(X, Y, trainRatio=0),
}


@pytest.mark.parametrize("said", [*WRONG])
def test_a_wrong_word_is_named_before_anything_is_compiled(said):
    with pytest.raises(ValueError, match=said):
        WRONG[said]()


# ---- what has no recorded steps ------------------------------------------------------------------


def test_a_formula_takes_columns_and_factors():
    data = {"a": X[:, 0], "b": X[:, 1], "kind": ["no", "yes", "yes", "no", "yes", "no"]}
    task, recipe = nnet.question("kind ~ .", data, size=4)
    assert recipe.model.widths == (4,)
    assert recipe.model.output_activation is None
    np.testing.assert_array_equal(task.x, X)
    np.testing.assert_array_equal(task.y[:, 0], [0, 1, 1, 0, 1, 0])
    three = nnet.question("kind ~ b + a", {**data, "kind": ["a", "b", "c"] * 2}, size=4).task
    np.testing.assert_array_equal(three.y, np.eye(3)[[0, 1, 2] * 2])
    np.testing.assert_array_equal(three.x, X[:, ::-1])


def test_matlab_divides_the_rows_of_each_seed_anew():
    x = np.linspace(-1, 1, 21)
    task, recipe = matlab.question(x, x**2)
    assert recipe.optimizer == "lm"
    chosen = []
    for seed in range(3):
        (trained, _), (held, y) = task.split(jax.random.key(seed), jax.random.key(9))
        assert (len(trained), len(held)) == (15, 3)
        np.testing.assert_allclose(y, np.asarray(held) ** 2, atol=1e-6)
        assert not set(np.ravel(trained).tolist()) & set(np.ravel(held).tolist())
        chosen.append(np.ravel(held))
    assert not np.array_equal(chosen[0], chosen[1])
    scaled = recipe.model
    np.testing.assert_allclose(scaled.out_scale, [0.5])
    np.testing.assert_allclose(scaled.out_center, [0.5])


def test_every_framework_has_its_conventions():
    topics = set(brainjs.CONVENTIONS.rows)
    modules = (convnetjs, fann, matlab, neurolab, nnet, opencv, pyrenn, synaptic, tfjs, weka)
    assert all(set(module.CONVENTIONS.rows) == topics for module in modules)


def test_a_training_ends_after_so_many_improvements():
    """Of losses 4, 4, 3, 3, 5, 2 the start does not count, and two others are a new best."""
    rule = ap.stops.Improvements(count=2)
    memory, stops = rule.start("float32"), []
    for value in (4.0, 4.0, 3.0, 3.0, 5.0, 2.0):
        verdict = rule.judge(memory, ap.training.watching.Look(jnp.asarray(value)))
        memory = verdict.memory
        stops.append(bool(verdict.stops))
    assert stops == [False] * 5 + [True]
    with pytest.raises(ValueError, match="count is 0"):
        ap.stops.Improvements(count=0)


def test_a_first_step_of_bfgs_is_no_longer_than_is_said():
    """The gradient of w² at 1 is 2; R's first trial goes all the way along it."""
    task = ap.given([[1.0]], [[0.0]], loss="mse")
    model = ap.MLP((), bias=False)
    for first_step, moved in ((0.25, 0.25), (None, 2.0)):
        options = {"first_step": first_step} if first_step else {}
        recipe = ap.Recipe(model=model, optimizer="bfgs", options=options, steps=2)

        def stepped(key, recipe=recipe):
            state = ap.init(key, task, recipe, params=[{"w": jnp.ones((1, 1))}])
            rows = ap.training.inputs.Batch(jnp.ones((1, 1)), jnp.zeros((1, 1)))
            return ap.training.steps.step(state, rows, task, recipe).opt_state.trial

        trial = jax.jit(stepped, compiler_options=QUICK)(jax.random.key(0))
        np.testing.assert_allclose(1 - np.asarray(trial)[0], moved, rtol=1e-6)
