"""Standardised inputs and targets: a model is put into a scaling, or taken out of it.

The scaling is `scalings.PerFeature`, with the mean and the standard deviation of each column of the
training rows.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.interpreters import partial_eval

from approx.models import scalings
from approx.sweep import facts, slips
from approx.tasks import Task, losses, shortened
from approx.tasks.values import meant
from approx.training import inputs
from approx.training.recipes import Recipe

# The fields of `PerFeature` that belong to the inputs and to the targets
FIELDS = {"inputs": ("center", "scale"), "targets": ("out_center", "out_scale")}
WORDS = ("standardise", "raw")
SEEDS = 64  # whose rows are pooled where each seed draws its own


def standardised(
    recipe: Recipe, task: Task, *, inputs: bool = True, targets: bool | None = None
) -> Recipe:
    """The recipe whose model standardises inputs and targets of a task by its training rows.

    The model becomes `scalings.PerFeature`, which computes `m_y + s_y f((x - m_x) / s_x)` column by
    column, with the means m and the standard deviations s (the population's, as in scikit-learn's
    StandardScaler) of the rows that are trained on. Validation rows and test rows have no part in
    them, but where each seed has training rows of its own (`hold_out="random"`, drawn inputs): a
    model is the same for all seeds, and the rows of the seeds 0 to 63 are pooled. As the scaling is
    part of the model, all losses and predictions are in the units of the data. So is the gradient:
    a loss of squares has s_y² times the gradient that it has in standardised units, which Adam does
    not notice, and which a learning rate of plain gradient descent must allow for.

    Args:
        recipe: whose model is scaled; its dtype is that in which the rows are read.
        task: gives the training rows.
        inputs: whether inputs are standardised.
        targets: whether targets are; left out, they are where they have units, and are not where
            they are labels, or where the loss takes logits or probabilities.

    Raises:
        ValueError: a constant column, targets that have no units.

    Example:
        `ap.run(task, ap.standardised(recipe, task), seeds=64)`

    """
    if targets is None:
        targets = not why_no_units(task, recipe)
    wanted = {"inputs": inputs, "targets": targets}
    chosen = {what: "standardise" for what, is_wanted in wanted.items() if is_wanted}
    return rescaled(task, recipe, chosen)


def rescaled(task: Task, recipe: Recipe, wanted: Mapping[str, Any]) -> Recipe:
    """The recipe whose model standardises inputs or targets, or leaves them as they are.

    Args:
        task: gives the training rows.
        recipe: its dtype is that of the rows.
        wanted: "standardise" or "raw" for "inputs", for "targets", or for both.

    Raises:
        ValueError: another word, a constant column, targets that have no units; a scaling of each
            row, which cannot be taken out of inputs or targets alone.

    """
    for what, word in wanted.items():
        check_word(what, word, task)
    model = recipe.model
    for what, word in wanted.items():
        if word == "raw":
            model = without_scaling(model, what)
        else:
            model = with_scaling(model, task, recipe, what)
    return replace(recipe, model=model)


def check_word(what: str, word: Any, task: Task) -> None:
    """Refuse what is neither "standardise" nor "raw".

    Raises:
        ValueError: with the word that was probably meant, or the task's field of that name.
    """
    if isinstance(word, str) and word in WORDS:
        return
    hint = meant(word, WORDS)
    if what in slips.field_names(task) and not hint:
        hint = f"; the task's own field is 'task.{what}'"
    raise ValueError(f"{what} is {shortened(word)}; it is 'standardise' or 'raw'{hint}")


# ---- models with and without a scaling -----------------------------------------------------------


def with_scaling(model: Any, task: Task, recipe: Recipe, what: str) -> scalings.PerFeature:
    """The model with standardised inputs or targets; a `PerFeature` gets other numbers."""
    if what == "targets":
        check_units(task, recipe)
    mean, deviation = moments(task, recipe, what)
    center, scale = FIELDS[what]
    if not isinstance(model, scalings.PerFeature):
        model = scalings.PerFeature(model)
    return replace(model, **{center: mean, scale: deviation})


def check_units(task: Task, recipe: Recipe) -> None:
    """Refuse targets that have no units which a model's outputs could be in.

    Raises:
        ValueError: labels, or a loss of logits.
    """
    why = why_no_units(task, recipe)
    if why:
        raise ValueError(f"targets cannot be standardised: {why}")


def why_no_units(task: Task, recipe: Recipe) -> str:
    """Why targets have no units which a model's outputs could be in; "" if they have units."""
    if isinstance(task.loss, str) and task.loss in losses.CORRECT:
        return (
            f"with the loss {task.loss!r} the model's outputs are logits, which have no units; "
            "standardise the inputs, or take another loss"
        )
    with facts.x64(recipe):
        rows = jax.eval_shape(reader(task, "targets"), 0)
    if not jnp.issubdtype(rows.dtype, jnp.floating):
        return (
            f"they are of type {rows.dtype}, which counts as labels; amounts are of a floating type"
        )
    return ""


def without_scaling(model: Any, what: str) -> Any:
    """The model that takes inputs as they are, or gives outputs as they are.

    Raises:
        ValueError: a model that scales the inputs and the outputs of each row together.

    """
    if isinstance(model, scalings.PerFeature):
        return neutral(model, without_scaling(model.model, what), what)
    if not isinstance(model, scalings.PerSample):
        return model
    if model.undo:
        raise ValueError(
            f"{what} cannot be 'raw' with a model PerSample(undo=True), which scales inputs and "
            "outputs together; give another one as 'model'"
        )
    inner = without_scaling(model.model, what)
    if what == "inputs":
        return inner
    return replace(model, model=inner)


def neutral(model: scalings.PerFeature, inner: Any, what: str) -> Any:
    """A scaling around another model that leaves inputs or outputs alone.

    It is the other model itself if the scaling then leaves both alone.
    """
    center, scale = FIELDS[what]
    left: Any = replace(model, model=inner, **{center: 0.0, scale: 1.0})
    centers = np.append(left.center, left.out_center)
    scales = np.append(left.scale, left.out_scale)
    if (centers == 0).all() and (scales == 1).all():
        return inner
    return left


# ---- means and standard deviations of the training rows ------------------------------------------


Moments = tuple[tuple[float, ...], tuple[float, ...]]  # means and deviations by column
# A study asks for the same moments in each of its rows; the tasks of the last few are kept
_known: deque[tuple[Task, str, str, Moments]] = deque(maxlen=8)


def moments(task: Task, recipe: Recipe, what: str) -> Moments:
    """Mean and standard deviation (the population's) of each column of the training rows.

    See `newly_found` for which rows, for the arguments and for the errors.
    """
    for its_task, dtype, its_what, found in _known:
        if its_task is task and (dtype, its_what) == (recipe.dtype, what):
            return found
    found = newly_found(task, recipe, what)
    _known.append((task, recipe.dtype, what, found))
    return found


def newly_found(task: Task, recipe: Recipe, what: str) -> Moments:
    """The moments of a task that was not asked about lately.

    The rows are those without validation rows, as the recipe's dtype holds them. If they depend on
    the seed, they are those of the seeds 0 to 63 of the root key 0, pooled.

    Args:
        task: gives the rows.
        recipe: says the dtype.
        what: "inputs" or "targets".

    Raises:
        ValueError: a constant column.

    """
    means, variances, lows, highs = [], [], [], []
    with facts.x64(recipe):
        read = reader(task, what)
        seeds = SEEDS if depends_on_seed(read) else 1
        compiled = jax.jit(read)
        for seed in range(seeds):
            values = np.asarray(compiled(seed), np.float64)
            means.append(values.mean(0))
            variances.append(values.var(0))
            lows.append(values.min(0))
            highs.append(values.max(0))
    check_spread(what, np.min(lows, 0), np.max(highs, 0))
    # All seeds have as many rows, so that each counts alike
    mean = np.mean(means, 0)
    between = (np.asarray(means) - mean) ** 2
    deviation = np.sqrt(np.mean(variances + between, 0))
    return tuple(mean.tolist()), tuple(deviation.tolist())


def reader(task: Task, what: str) -> Callable:
    """A function of a seed that gives the inputs, or the targets, that this seed is trained on."""

    def read(seed):
        key = random.fold_in(random.key(0), seed)
        streams = inputs.streams(key)
        x, y = task.split(streams.data, streams.noise)[0]
        return x if what == "inputs" else y

    return read


def depends_on_seed(read: Callable) -> bool:
    """Whether the rows that a `reader` gives differ from seed to seed."""
    program = jax.make_jaxpr(read)(0).jaxpr
    _, used = partial_eval.dce_jaxpr(program, [True])[:2]
    return used[0]


def check_spread(what: str, low: np.ndarray, high: np.ndarray) -> None:
    """Refuse a column that has the same value in all rows.

    Raises:
        ValueError: with the column and its value.
    """
    constant = np.flatnonzero(low == high)
    if constant.size:
        column = int(constant[0])
        raise ValueError(
            f"column {column} of the {what} is {low[column]:g} in all training rows; a constant "
            "column has no spread to be divided by: leave it out"
        )
