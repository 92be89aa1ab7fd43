"""scikit-learn's `MLPRegressor` and `MLPClassifier`, scaled or not, as a task and a recipe.

`question` takes an estimator; `translated` takes its parameters as a dictionary. scikit-learn is
never imported. All conventions were measured with scikit-learn 1.9.1.
"""

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from approx import models
from approx.frameworks import fits
from approx.frameworks.questions import Conventions, Question
from approx.models import scalings
from approx.training import schedules, stops
from approx.training.recipes import Recipe

KINDS = ("MLPRegressor", "MLPClassifier")
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
RATES = ("constant", "invscaling", "adaptive")
SOLVERS = ("adam", "sgd", "lbfgs")


def question(
    estimator: Any, x: Any, y: Any, *, start: str = "drawn", test: Any = None, **recipe: Any
) -> Question:
    """An estimator, and the rows that its `fit` would be given, as a task and a recipe.

    Args:
        estimator: an MLPRegressor or MLPClassifier, a Pipeline that ends with one, or a
            TransformedTargetRegressor around one of these. It need not be fitted.
        x: training inputs (n, i).
        y: targets, (n,) or (n, o); or labels, which may be words.
        start: "drawn", so that every seed draws its weights as scikit-learn would; or "as given",
            so that all seeds start from the `coefs_` and `intercepts_` that the estimator has.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`, or `dtype="float64"`.

    Returns:
        A `Question`, which unpacks into task and recipe.

    Raises:
        TypeError: another estimator.
        ValueError: an option that cannot be translated faithfully, by its name.

    Example:
        >>> question = ap.frameworks.sklearn.question(MLPClassifier((20, 20)), X, y)
        >>> runs = ap.run(*question, seeds=256)

    """
    found = unwrapped(estimator, fits.as_array(x), fits.as_array(y, "y"), test)
    said = described(found.estimator)
    fields = fits.recipe_fields("sklearn", recipe)
    made = translated(said, found.x, found.y, start=start, test=found.test, recipe=fields)
    model = made.recipe.model
    for scaling in reversed(found.scalings):
        model = scalings.PerFeature(model, **scaling)
    scaled = made.recipe
    if found.scalings:
        scaled = dataclasses.replace(made.recipe, model=model)
    return Question(made.task, scaled, fits.sentences(made.notes, found.notes))


def described(estimator: Any) -> dict[str, Any]:
    """An estimator by its class, its parameters, and its weights if it has any.

    Raises:
        TypeError: another estimator than the two.
    """
    kind = next((base.__name__ for base in type(estimator).__mro__ if base.__name__ in KINDS), None)
    if kind is None:
        raise TypeError(
            f"{type(estimator).__name__} cannot be translated; there is: {', '.join(KINDS)}, a "
            "Pipeline that ends with one of them, and a TransformedTargetRegressor around it"
        )
    said = {"class_name": kind, "params": estimator.get_params(deep=False)}
    if hasattr(estimator, "coefs_"):
        pairs = zip(estimator.coefs_, estimator.intercepts_, strict=True)
        said["weights"] = [[w.tolist(), b.tolist()] for w, b in pairs]
    return said


# ---- what stands around the estimator ------------------------------------------------------------


class Unwrapped(NamedTuple):
    """An estimator without what stands around it, and what that does to the rows.

    Attributes:
        estimator: the inner one.
        x: its inputs.
        y: its targets.
        test: its test rows, or None.
        scalings: for each scaler the fields of a `scalings.PerFeature`.
        notes: sentences.
    """

    estimator: Any
    x: np.ndarray
    y: np.ndarray
    test: Any
    scalings: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


def unwrapped(estimator: Any, x: np.ndarray, y: np.ndarray, test: Any) -> Unwrapped:
    """The estimator inside pipelines and transformed targets."""
    kind = type(estimator).__name__
    if kind == "Pipeline":
        return of_pipeline(estimator, x, y, test)
    if kind == "TransformedTargetRegressor":
        return of_targets(estimator, x, y, test)
    return Unwrapped(estimator, x, y, test)


def of_pipeline(pipeline: Any, x: np.ndarray, y: np.ndarray, test: Any) -> Unwrapped:
    """The last step of a pipeline; scalers become part of the model, others change the rows."""
    *steps, (_, last) = pipeline.steps
    scaled: list[dict[str, Any]] = []
    notes = []
    for _, step in steps:
        if step is None or step == "passthrough":
            continue
        kind = type(step).__name__
        fitted = copy.deepcopy(step).fit(through(scaled, x), y)
        if kind in SCALERS:
            scaled.append(SCALERS[kind](fitted))
            continue
        if scaled:
            raise ValueError(
                f"the step {kind} comes after a scaler; put it before, as only scalers can be part "
                "of the model"
            )
        x = np.asarray(fitted.transform(x))
        if test is not None:
            test = fitted.transform(test[0]), test[1]
        notes.append(f"The rows went through {kind} once, so predictions are asked at its outputs.")
    inner = unwrapped(last, x, y, test)
    return inner._replace(scalings=(*scaled, *inner.scalings), notes=(*notes, *inner.notes))


def through(scaled: Sequence[Mapping[str, Any]], x: np.ndarray) -> np.ndarray:
    """Inputs after some scalers."""
    for each in scaled:
        x = (x - np.asarray(each["center"])) / np.asarray(each["scale"])
    return x


def of_targets(wrapper: Any, x: np.ndarray, y: np.ndarray, test: Any) -> Unwrapped:
    """The regressor inside transformed targets, with the targets that it is given.

    Raises:
        ValueError: a function of one's own in place of a transformer.
    """
    if wrapper.transformer is None:
        raise ValueError(
            "the TransformedTargetRegressor has no transformer; func and inverse_func cannot be "
            "read: transform y yourself, or give transformer=StandardScaler()"
        )
    columns = y.reshape(len(y), -1)
    fitted = copy.deepcopy(wrapper.transformer).fit(columns)
    if test is not None:
        test_y = np.asarray(test[1])
        test = test[0], fitted.transform(test_y.reshape(len(test_y), -1))
    kind = type(wrapper.transformer).__name__
    inner = unwrapped(wrapper.regressor, x, fitted.transform(columns), test)
    note = f"Losses and predictions are in the units of the transformed targets ({kind})."
    return inner._replace(notes=(*inner.notes, note))


def affine(center: Any, scale: Any) -> dict[str, Any]:
    """The fields of a scaling `(x - center) / scale`."""
    center, scale = np.broadcast_arrays(np.asarray(center, float), np.asarray(scale, float))
    return {"center": tuple(center.tolist()), "scale": tuple(scale.tolist())}


def standard(scaler: Any) -> dict[str, Any]:
    """StandardScaler: mean and standard deviation (the population's), each of which may be off."""
    count = scaler.n_features_in_
    center = scaler.mean_ if scaler.with_mean else np.zeros(count)
    scale = scaler.scale_ if scaler.with_std else np.ones(count)
    return affine(center, scale)


def min_max(scaler: Any) -> dict[str, Any]:
    """MinMaxScaler: `scale_ x + min_`.

    Raises:
        ValueError: values that are clipped.
    """
    if scaler.clip:
        raise ValueError("the MinMaxScaler has clip=True, which is not supported; leave it out")
    return affine(-scaler.min_ / scaler.scale_, 1 / scaler.scale_)


def robust(scaler: Any) -> dict[str, Any]:
    """RobustScaler: the median and the distance of two quantiles, either of which may be off."""
    count = scaler.n_features_in_
    center = scaler.center_ if scaler.with_centering else np.zeros(count)
    scale = scaler.scale_ if scaler.with_scaling else np.ones(count)
    return affine(center, scale)


SCALERS = {
    "StandardScaler": standard,
    "MinMaxScaler": min_max,
    "MaxAbsScaler": lambda scaler: affine(np.zeros_like(scaler.scale_), scaler.scale_),
    "RobustScaler": robust,
}


# ---- the estimator -------------------------------------------------------------------------------


def translated(
    said: Mapping[str, Any],
    x: Any,
    y: Any,
    *,
    start: str = "drawn",
    test: Any = None,
    recipe: Mapping[str, Any] | None = None,
) -> Question:
    """The question of a plain dictionary.

    Args:
        said: see `described`.
        x: training inputs (n, i).
        y: targets or labels.
        start: see `question`.
        test: rows (x, y), or None.
        recipe: further fields of the recipe.

    Raises:
        ValueError: what cannot be translated, by its name.
    """
    fits.check_start(start)
    params, is_classifier = said["params"], said["class_name"] == "MLPClassifier"
    fits.refuse("the estimator", params, {"warm_start": False}, 'say start="as given"')
    check_params(params)
    target = classes(y, test) if is_classifier else values(params.get("loss"), y, test)
    held_out: dict[str, Any] = {}
    if params["early_stopping"] and params["solver"] != "lbfgs":
        share = held_share(params["validation_fraction"], len(target.y))
        held_out = {"validation": share, "hold_out": "random"}
    task = fits.task_of(x, target.y, loss=target.loss, test=target.test, **held_out)
    rows = fits.trained_rows(task)
    fields = {
        "model": network(said, target, start),
        **penalty(params, rows),
        **fits.batches(batch_rows(params, rows), rows, params["shuffle"]),
        **training(params, target, is_classifier, rows),
        **(recipe or {}),
    }
    return Question(task, Recipe(**fields), fits.sentences(NOTES, notes_of(params, target)))


def held_share(fraction: float, rows: int) -> float:
    """A share that keeps as many rows for validation as scikit-learn, `ceil(fraction rows)`.

    Half a row less makes the number sure whatever the rounding.
    """
    return (math.ceil(fraction * rows) - 0.5) / rows


def check_params(params: Mapping[str, Any]) -> None:
    """Refuse parameters that scikit-learn's own `fit` would refuse.

    Raises:
        ValueError: with the parameter and its value.
    """
    for name in ("alpha", "tol", "learning_rate_init", "validation_fraction"):
        if not isinstance(params[name], Real) or isinstance(params[name], bool):
            raise ValueError(f"{name} is {params[name]!r}; it must be a number")
    if params["learning_rate_init"] <= 0:
        raise ValueError(f"learning_rate_init is {params['learning_rate_init']}; it must be > 0")
    if params["early_stopping"] and not 0 < params["validation_fraction"] < 1:
        raise ValueError(
            f"validation_fraction is {params['validation_fraction']}; it must lie between 0 and 1"
        )
    if params["batch_size"] != "auto":
        fits.check_count("batch_size", params["batch_size"])
    if isinstance(params["hidden_layer_sizes"], str):
        raise ValueError(
            f"hidden_layer_sizes is {params['hidden_layer_sizes']!r}; give whole numbers, (5,)"
        )
    if params["learning_rate"] not in RATES:
        raise ValueError(f"learning_rate={params['learning_rate']!r}; there is: {', '.join(RATES)}")


class Target(NamedTuple):
    """What is learned.

    Attributes:
        y: targets or labels.
        outputs: of the network.
        loss: of the task.
        test: test rows with such targets, or None.
        output_activation: of the network; None for none.
    """

    y: np.ndarray
    outputs: int
    loss: str
    test: Any = None
    output_activation: str | None = None


def classes(y: Any, test: Any) -> Target:
    """Labels as whole numbers, in the order that `np.unique` gives them.

    Raises:
        ValueError: several labels a row, labels of one kind, missing labels, test labels that are
            not known.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(
            f"y has shape {y.shape}, several labels a row, which is not supported; nearest is one "
            "estimator for each label"
        )
    check_labels(y)
    names, labels = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"all labels are {names[0]!r}; a classifier needs two kinds at least")
    if test is not None:
        test = test[0], coded(names, np.asarray(test[1]).ravel())
    if len(names) > 2:
        return Target(labels, len(names), "cross_entropy", test)
    if test is not None:
        test = test[0], test[1].astype(float)
    return Target(labels.astype(float), 1, "binary_cross_entropy", test)


def check_labels(y: np.ndarray) -> None:
    """Refuse what scikit-learn takes for no labels: missing ones, and numbers with fractions.

    Raises:
        ValueError: with the first of them.
    """
    missing = [label for label in y.tolist() if label is None or label != label]
    if missing:
        raise ValueError(f"y holds {missing[0]!r}; every row needs a label")
    if y.dtype.kind == "f" and (y != np.round(y)).any():
        broken = y[y != np.round(y)][0].item()
        raise ValueError(f"y holds {broken!r}; labels of a classifier are whole numbers or words")


def coded(names: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Labels as their numbers.

    Raises:
        ValueError: with those that are not among the names.
    """
    unknown = sorted(set(y.tolist()) - set(names.tolist()))
    if unknown:
        raise ValueError(
            f"the test rows have the labels {unknown}, which the training rows have not"
        )
    return np.searchsorted(names, y)


def values(loss: str | None, y: Any, test: Any) -> Target:
    """Targets of a regressor.

    Raises:
        ValueError: an unknown loss.
    """
    y = np.asarray(y)
    outputs = 1 if y.ndim == 1 else y.shape[1]
    if loss == "poisson":
        return Target(y, outputs, "poisson", test, "exponential")
    if loss not in (None, "squared_error"):
        raise ValueError(f"loss={loss!r} of MLPRegressor; there is: squared_error, poisson")
    return Target(y, outputs, "half_squared_error", test)


def network(said: Mapping[str, Any], target: Target, start: str) -> models.MLP:
    """The network of an estimator.

    Raises:
        ValueError: an estimator without weights, of which the start was to be taken.
    """
    params = said["params"]
    initializer: Any = "sklearn"
    if start == "as given":
        if "weights" not in said:
            raise ValueError('start="as given", but the estimator has no coefs_: it was not fitted')
        initializer = [tuple(map(fits.constant, each)) for each in said["weights"]]
    return models.MLP(
        tuple(int(width) for width in np.atleast_1d(params["hidden_layer_sizes"])),
        fits.known("the activation", params["activation"], ACTIVATIONS, {}, "scikit-learn"),
        outputs=target.outputs,
        output_activation=target.output_activation,
        initializer=initializer,
    )


def training(
    params: Mapping[str, Any], target: Target, is_classifier: bool, rows: int
) -> dict[str, Any]:
    """Optimiser, length and stopping rule of an estimator."""
    solver = params["solver"]
    if solver not in SOLVERS:
        raise ValueError(f"solver={solver!r}; there is: {', '.join(SOLVERS)}")
    if solver == "lbfgs":
        stop = stops.GradientNorm(below=params["tol"], norm="max", every=1)
        return {"optimizer": "lbfgs", "steps": params["max_iter"], "stop": stop}
    found = {"epochs": params["max_iter"], "learning_rate": params["learning_rate_init"]}
    if solver == "adam":
        numbers = {"b1": "beta_1", "b2": "beta_2", "eps": "epsilon"}
        options = {ours: params[theirs] for ours, theirs in numbers.items()}
        return {
            "optimizer": "adam_sklearn",
            "options": fits.given_options("adam_sklearn", options),
            "stop": tolerance(params, target, is_classifier),
            **found,
        }
    nesterov = params["momentum"] and params["nesterovs_momentum"]
    name = "sgd_sklearn" if nesterov else "sgd_keras"
    return {
        "optimizer": name,
        "options": fits.given_options(name, {"momentum": params["momentum"]}),
        **of_rate(params, target, is_classifier, rows),
        **found,
    }


def watched(params: Mapping[str, Any], target: Target, is_classifier: bool) -> dict[str, Any]:
    """What a stopping rule looks at, and its numbers.

    The loss of K outputs is K times scikit-learn's here, and so is the tolerance.
    """
    rule = {"tol": params["tol"], "patience": params["n_iter_no_change"], "of": "epoch_loss"}
    if params["early_stopping"]:
        return rule | {"of": "validation_accuracy" if is_classifier else "validation_r2"}
    if not is_classifier:
        rule["tol"] = rule["tol"] * target.outputs
    return rule


def tolerance(params: Mapping[str, Any], target: Target, is_classifier: bool) -> Any:
    """scikit-learn's stopping rule."""
    rule = watched(params, target, is_classifier)
    return stops.Tolerance(**rule, restore_best=bool(params["early_stopping"]))


def of_rate(
    params: Mapping[str, Any], target: Target, is_classifier: bool, rows: int
) -> dict[str, Any]:
    """Schedule and stopping rule of the solver "sgd".

    Raises:
        ValueError: an adaptive rate with early stopping.
    """
    kind = params["learning_rate"]
    if kind == "adaptive":
        if params["early_stopping"]:
            raise ValueError(
                'learning_rate="adaptive" with early_stopping=True is not supported; nearest is '
                'learning_rate="constant" with it, or "adaptive" without it'
            )
        return {"plateau": stops.AdaptiveRate(**watched(params, target, is_classifier))}
    stop = tolerance(params, target, is_classifier)
    if kind == "constant":
        return {"stop": stop}
    schedule = schedules.InverseScaling(
        rows=rows,
        power=params["power_t"],
        steps_per_epoch=fits.steps_of_epoch(rows, batch_rows(params, rows)),
    )
    return {"stop": stop, "schedule": schedule}


def batch_rows(params: Mapping[str, Any], rows: int) -> int:
    """Rows of a batch: min(200, rows) by default; all for lbfgs."""
    if params["solver"] == "lbfgs":
        return rows
    if params["batch_size"] == "auto":
        return min(200, rows)
    return min(params["batch_size"], rows)


def penalty(params: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """`alpha / 2 Σ w²` over the rows of the batch, on weights alone."""
    if not params["alpha"]:
        return {}
    if params["solver"] == "lbfgs":
        return {"l2": params["alpha"] / (2 * rows)}
    return {"l2": params["alpha"] / 2, "l2_per": "rows"}


def notes_of(params: Mapping[str, Any], target: Target) -> list[str]:
    """What is particular to this estimator."""
    found = []
    if target.loss == "half_squared_error" and target.outputs > 1:
        found.append(
            f"scikit-learn reports the mean over the {target.outputs} outputs and descends their "
            "sum; the loss here is the sum."
        )
    if target.loss == "poisson":
        found.append("scikit-learn's loss has the constant mean y log y - y in it, this one not.")
    if params["solver"] == "lbfgs":
        found.append(
            "scikit-learn's lbfgs is SciPy's L-BFGS-B, whose line search differs; it counts "
            f"iterations up to max_iter and evaluations up to max_fun={params['max_fun']}."
        )
    elif params["early_stopping"] and target.loss != "half_squared_error":
        found.append("scikit-learn splits the classes evenly (stratified); rows are drawn here.")
    return found


NOTES = (
    'scikit-learn computes in float64 where X is; dtype="float64" does so here.',
    "Outputs of classifiers are logits here, and probabilities in scikit-learn.",
)
CONVENTIONS = Conventions(
    framework="scikit-learn",
    version="1.9.1",
    rows={
        "first weights": "U(±sqrt(6 / (in + out))), and U(±sqrt(2 / (in + out))) in all layers of "
        "a network of logistic units.",
        "first biases": "as the weights.",
        "activations": "relu by default; the output is linear, logistic for two classes, softmax "
        "for more.",
        "loss that is descended": "half the squared error summed over the outputs, or the "
        "cross-entropy, as a mean over the rows of the batch; and alpha / 2 Σ w² divided by the "
        "rows of the batch, biases not in it.",
        "loss that is reported": "loss_ is the mean over the rows of an epoch of the loss before "
        "each update, with the penalty; half the squared error is a mean over the outputs there. "
        "lbfgs reports the loss at the end.",
        "optimiser": "Adam with rate 0.001, and epsilon 1e-8 added to the uncorrected root; sgd "
        "has Nesterov's momentum 0.9; lbfgs is SciPy's.",
        "batches": "min(200, rows), shuffled anew in each epoch; the last batch has the rows that "
        "are left, and is a full step.",
        "validation split": "with early_stopping a tenth of the rows, drawn at random for each "
        "seed, and from each class alike.",
        "scaling": "none.",
        "stopping": "200 epochs; earlier, when more than 10 epochs in a row lack an improvement of "
        "the loss by 1e-4, in units of the loss.",
        "precision": "that of the rows, mostly float64.",
    },
    measured="ten steps of 14 combinations were recorded and compared in weights and reported "
    "losses; the distribution of 2,000 first weights was compared.",
)
