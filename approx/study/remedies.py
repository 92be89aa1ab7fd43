"""The usual remedies for a network that does not learn, as the changes of one study."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from approx.changes import names
from approx.changes.alterations import altered
from approx.changes.standardising import moments
from approx.models import ACTIVATIONS, MLP, scalings
from approx.models.mlp import is_layered
from approx.study.claims import BASELINE
from approx.study.doubts import GRADIENT_DESCENT, OF_SQUARES, doubts
from approx.study.measures import has_accuracy
from approx.study.optimising import (
    optimiser_changes,
    rate_changes,
    rate_of,
    second_order_changes,
)
from approx.study.rows import View, best_of, without_tuning
from approx.study.studies import Study
from approx.sweep import facts
from approx.sweep.facts import Facts
from approx.sweep.request import check_nouns
from approx.tasks import Task, losses
from approx.training.recipes import Recipe

TUNING_SEEDS = range(10**6, 10**6 + 32)
CENTERED, UNIT = 0.1, (0.8, 1.25)  # columns like these count as standardised
TRIED_ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid")
TRIED_INITIALIZERS = {"keras": "Keras", "pytorch": "PyTorch", "he": "He", "nnet": "R's nnet"}
BATCH = 32  # rows, where the baseline sees all rows in every step
ENOUGH_ROWS = 2 * BATCH  # for such batches to differ from all rows
TRIES = 5

Change = Mapping[str, Any]
Remedy = tuple[str, Change]


class Case(NamedTuple):
    """What remedies are chosen by.

    Attributes:
        task: what the baseline learns.
        recipe: how the baseline learns.
        facts: its shapes and sizes.
    """

    task: Task
    recipe: Recipe
    facts: Facts

    @property
    def network(self) -> MLP | None:
        """The network inside all scalings if it is an `MLP`; None for another model."""
        core = scalings.core(self.recipe.model)
        return core if type(core) is MLP else None


def remedies(
    task: Task,
    recipe: Recipe,
    *,
    below: float | None = None,
    above: float | None = None,
    of: str | None = None,
    success: Any = None,
    skip: Collection[str] = (),
    more: Mapping[str, Any] | None = None,
    **study: Any,
) -> Study:
    """A study of the usual remedies for a baseline that does not learn well.

    Which remedies there are depends on the task and the recipe; those that the model cannot take
    are left out. Each is one change of the baseline:

    - "scaling": inputs standardised, targets standardised, and both. Targets are standardised for
      regressions by squares only. What is standardised already, or stands in a scaling, is left.
      With gradient descent ("sgd", "momentum", "sgd_keras" and their like, but not "adam" or
      "rmsprop") the learning rate is divided by the targets' variance at the same time. An l2 is
      multiplied by it, so that the training is that of a network which learns the standardised
      targets themselves.
    - "optimisers": SGD, momentum, Adam and RMSprop, each with the best learning rate of a grid of
      decades, and the baseline's optimiser with the best of rates around its own. The rates are
      chosen on 32 seeds that are not reported.
    - "rates": the learning rate times 10 and divided by 10.
    - "network": hidden layers four times as wide, one more hidden layer, other activations.
    - "initialisers": the first weights as Keras, PyTorch, He and R's nnet draw them.
    - "regularisation": biases where there are none, no dropout, no l2 and no weight decay where
      there are some.
    - "batches": all rows in every step in place of batches, for as many steps; or batches of 32 in
      place of all rows; a new order of the rows in each epoch where the order is fixed.
    - "length": three and ten times as many steps.
    - "second order": Levenberg-Marquardt where the loss is one of squares, and BFGS, with 200
      evaluations of all rows. That is about where these methods come to rest on small networks; the
      report also compares at equally many rows seen. They are left out where one evaluation is
      too dear, see `optimising.second_order_changes`.
    - "restarts": the best of 5 seeds, by the loss of validation rows if there are any, else by the
      training loss. This is a view, which costs no training.

    Args:
        task: what the baseline learns.
        recipe: how the baseline learns.
        below: the largest value of `of` that counts as success, as for `Study`.
        above: the smallest value of `of` that counts as success.
        of: the variable that is judged.
        success: in place of a threshold, as for `Study`.
        skip: labels of remedies, or of groups of them (the words in quotes above), that are left
            out.
        more: further changes {label: change}; one with the label of a remedy replaces it.
        study: further fields of `Study`, such as `title`, `source`, `views`, `claims`, `reported`.

    Returns:
        The study, which is not trained yet.

    Raises:
        TypeError: fields that `Study` does not have, or `changes`, which are given as `more`.
        ValueError: a label in `skip` that is none; what `Study` refuses; what cannot work, see
            `study.doubts`.

    Warns:
        UserWarning: what hardly can work.

    Example:
        >>> study = ap.remedies(task, recipe, below=0.01, skip=["second order"])
        >>> study.run(seeds=64)
        >>> print(study.report())
    """
    if "changes" in study:
        raise TypeError("remedies makes the changes itself: give further ones as more=")
    check_nouns(task, recipe)
    case = Case(task, recipe, facts.find(task, recipe))
    groups = {group: dict(make(case)) for group, make in GROUPS.items()}
    views = {"restarts": restarts(task)}
    check_skipped(skip, {**groups, **views})
    changes = {**kept(case, groups, skip), **(more or {})}
    shown = kept_labels(views, skip) | study.pop("views", {})
    declared = Study(
        task,
        recipe,
        below=below,
        above=above,
        of=of,
        success=success,
        changes=changes,
        views=shown,
        **{"tuning_seeds": TUNING_SEEDS, **study},
    )
    main = next(iter(declared.measures.values()))
    judged = main.of if isinstance(main.of, str) else None
    for doubt in doubts(task, recipe, judged, below):
        warnings.warn(doubt, stacklevel=2)
    return declared


# ---- which remedies are kept ---------------------------------------------------------------------


def check_skipped(skip: Collection[str], groups: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a label that is neither a group nor a remedy of any.

    Raises:
        TypeError: one string in place of a list.
        ValueError: with all groups and labels.
    """
    if isinstance(skip, str):
        raise TypeError(f"skip is {skip!r}; give a list of labels, such as [{skip!r}]")
    labels = [label for group in groups.values() for label in group]
    for label in skip:
        if label not in groups and label not in labels:
            there = ", ".join(map(repr, [*groups, *labels]))
            raise ValueError(f"skip names {label!r}, which is no remedy here; there are: {there}")


def kept_labels(groups: Mapping[str, Mapping[str, Any]], skip: Collection[str]) -> dict[str, Any]:
    """What all groups hold by label, without the groups and the labels that are skipped."""
    found: dict[str, Any] = {}
    for group, inside in groups.items():
        if group in skip:
            continue
        found |= {label: one for label, one in inside.items() if label not in skip}
    return found


def kept(
    case: Case, groups: Mapping[str, Mapping[str, Change]], skip: Collection[str]
) -> dict[str, Change]:
    """The remedies that are not skipped and that the baseline can take."""
    found = kept_labels(groups, skip)
    return {label: change for label, change in found.items() if is_possible(case, change)}


def is_possible(case: Case, change: Change) -> bool:
    """Whether the baseline can be changed so: a user's model may not have what a change names."""
    alteration, tune = without_tuning(change)
    try:
        task, recipe = altered(case.task, case.recipe, alteration, may_equal=bool(tune))
        facts.find(task, recipe)
    except (TypeError, ValueError, MemoryError):
        return False
    return True


# ---- scaling -------------------------------------------------------------------------------------


def scaling(case: Case) -> Iterator[Remedy]:
    """Standardised inputs, standardised targets, and both."""
    of_inputs = {"inputs": "standardise"}
    scale_inputs = can_standardise(case, "inputs")
    scale_targets = has_amounts(case.task) and can_standardise(case, "targets")
    if scale_inputs:
        yield "inputs standardised", of_inputs
    if scale_targets:
        of_targets = standardised_targets(case)
        yield "targets standardised", of_targets
        if scale_inputs:
            yield "inputs and targets standardised", {**of_inputs, **of_targets}


def has_amounts(task: Task) -> bool:
    """Whether the targets are amounts that are learned by squares, and no labels."""
    by_squares = task.loss in OF_SQUARES or isinstance(task.loss, losses.ScaledError)
    return by_squares and not has_accuracy(task)


def can_standardise(case: Case, what: str) -> bool:
    """Whether inputs or targets have a spread, and are not scaled or standardised already."""
    if is_scaled(case.recipe.model, what):
        return False
    try:
        mean, deviation = map(np.asarray, moments(case.task, case.recipe, what))
    except ValueError:  # a constant column
        return False
    centered = np.abs(mean) <= CENTERED * deviation
    unit = (deviation >= UNIT[0]) & (deviation <= UNIT[1])
    return not (centered & unit).all()


def is_scaled(model: Any, what: str) -> bool:
    """Whether a scaling around the network changes its inputs, or its outputs."""
    while isinstance(model, scalings.Around):
        if isinstance(model, scalings.PerSample):
            return what == "inputs" or model.undo
        if isinstance(model, scalings.PerFeature):
            center, scale = model.center, model.scale
            if what == "targets":
                center, scale = model.out_center, model.out_scale
            if np.any(np.asarray(center) != 0) or np.any(np.asarray(scale) != 1):
                return True
        model = model.model
    return False


def standardised_targets(case: Case) -> dict[str, Any]:
    """The change that standardises targets, with numbers that keep their meaning."""
    change: dict[str, Any] = {"targets": "standardise"}
    if case.task.loss not in OF_SQUARES:
        return change  # `losses.ScaledError` is in standardised units already
    _, deviation = moments(case.task, case.recipe, "targets")
    variance = float(np.mean(np.square(deviation)))
    recipe = case.recipe
    if recipe.optimizer in GRADIENT_DESCENT:
        change["learning_rate"] = rate_of(recipe) / variance
    if recipe.l2 is not None:
        penalty: Any = recipe.l2
        change["l2"] = float(penalty) * variance
    return change


# ---- the network ---------------------------------------------------------------------------------


def network(case: Case) -> Iterator[Remedy]:
    """Wider layers, one more layer, and other activations."""
    model = case.network
    if model is None:
        return
    if not model.widths:
        yield "one hidden layer", {"model.widths": (16,)}
        return
    yield "4 times as wide", {"model.widths": tuple(4 * width for width in model.widths)}
    yield "one more hidden layer", deeper(model)
    for name in TRIED_ACTIVATIONS:
        if not is_activation(model, name):
            yield name, other_activation(model, name)


def deeper(model: MLP) -> dict[str, Any]:
    """The change to one more hidden layer, like the last; lists of one for each layer grow too."""
    change: dict[str, Any] = {"model.widths": (*model.widths, model.widths[-1])}
    for name in ("activation", "dropout"):
        of_layers = getattr(model, name)
        if isinstance(of_layers, tuple):
            change[f"model.{name}"] = (*of_layers, of_layers[-1])
    if is_layered(model.initializer):
        *hidden, output = model.initializer
        change["model.initializer"] = (*hidden, hidden[-1], output)
    return change


def is_activation(model: MLP, name: str) -> bool:
    """Whether a network has the activation of that name, by its name or as a function."""
    return model.activation in (name, f"xla_{name}", ACTIVATIONS[name])


def other_activation(model: MLP, name: str) -> dict[str, Any]:
    """The change to another activation, without the numbers that only the old one has."""
    change: dict[str, Any] = {"model.activation": name}
    if model.frequency is not None and model.initializer != "siren":
        change["model.frequency"] = None
    if model.a is not None:
        change["model.a"] = None
    return change


def initialisers(case: Case) -> Iterator[Remedy]:
    """The first weights as other frameworks draw them."""
    model = case.network
    if model is None or not model.widths:
        return
    for name, whose in TRIED_INITIALIZERS.items():
        if model.initializer != name:
            yield f"first weights of {whose}", {"model.initializer": name}


def regularisation(case: Case) -> Iterator[Remedy]:
    """Biases where there are none; no dropout, l2 and weight decay where there are some."""
    recipe, model = case.recipe, case.network
    if model is not None and not model.bias:
        yield "with biases", {"model.bias": True}
    if model is not None and model.dropout:
        yield "without dropout", {"model.dropout": None}
    if model is None:
        yield from without_dropout_fields(recipe)
    if recipe.l2:
        yield "without l2", {"l2": None}
    if has_weight_decay(recipe):
        yield "without weight decay", {"recipe.weight_decay": 0.0}


def without_dropout_fields(recipe: Recipe) -> Iterator[Remedy]:
    """No dropout in a user's module that has a field for its rate."""
    core = scalings.core(recipe.model)
    for name in ("dropout", "dropout_rate"):
        if name in names.model_fields(core) and getattr(core, name):
            yield "without dropout", {f"model.{name}": 0.0}


def has_weight_decay(recipe: Recipe) -> bool:
    """Whether the optimiser of a recipe shrinks the weights."""
    if not isinstance(recipe.optimizer, str) or "adamw" not in recipe.optimizer:
        return False
    return recipe.options.get("weight_decay", 1.0) != 0


# ---- batches and length --------------------------------------------------------------------------


def batches(case: Case) -> Iterator[Remedy]:
    """All rows in place of batches or the reverse, and a new order of the rows in each epoch."""
    recipe, rows = case.recipe, case.facts.rows
    if recipe.batches == "stream":
        return
    if recipe.batch_size is None:
        if rows >= ENOUGH_ROWS:
            yield f"batches of {BATCH}", {"batch_size": BATCH}
        return
    if recipe.batch_size < rows:
        yield "all rows in every step", {"batch_size": None}
        if recipe.batches == "order":
            yield "rows shuffled", {"batches": "epoch"}


def length(case: Case) -> Iterator[Remedy]:
    """Three and ten times as many steps."""
    steps = case.facts.recipe.steps
    for times in (3, 10):
        yield f"{times} times as long", {"steps": times * steps}


def restarts(task: Task) -> dict[str, View]:
    """The best of a few seeds."""
    by = "validation_loss" if task.validated else "loss"
    return {f"best of {TRIES} seeds": best_of(BASELINE, TRIES, by=by)}


def optimisers(case: Case) -> Iterator[Remedy]:
    """Other optimisers and the baseline's own, with tuned rates."""
    return optimiser_changes(case.recipe)


def rates(case: Case) -> Iterator[Remedy]:
    """A larger and a smaller learning rate."""
    return rate_changes(case.recipe)


def second_order(case: Case) -> Iterator[Remedy]:
    """Methods of second order where they are affordable."""
    return second_order_changes(case.task, case.facts)


GROUPS: dict[str, Callable[[Case], Iterator[Remedy]]] = {
    "scaling": scaling,
    "optimisers": optimisers,
    "rates": rates,
    "network": network,
    "initialisers": initialisers,
    "regularisation": regularisation,
    "batches": batches,
    "length": length,
    "second order": second_order,
}
