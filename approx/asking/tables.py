"""A table of data as a task and a recipe."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from approx.asking import columns
from approx.asking.networks import network
from approx.asking.options import Data
from approx.tasks import Task, given
from approx.tasks.data import kept_rows
from approx.training.recipes import Recipe, steps_of

MOST_NAMED = 6  # classes that a note names


class Asked(NamedTuple):
    """What is to be learned, and how.

    Attributes:
        task: what is learned.
        recipe: how it is learned.
        notes: how the data were understood, in sentences.
        title: of the report.
    """

    task: Task
    recipe: Recipe
    notes: list[str]
    title: str


def asked(options: Data) -> Asked:
    """The task and the recipe of a question about a table.

    Raises:
        FileNotFoundError: no such file.
        ValueError: columns that there are not, text, missing values, a model in wrong words; what
            `given` and `Recipe` refuse.
    """
    if options.data is None or options.target is None:
        raise ValueError(
            "give --data FILE.csv together with --target COLUMN, or a Python file that asks"
        )
    frame = columns.read(options.data)
    columns.require(frame, options.target, "target")
    names = columns.input_names(frame, options.target, options.inputs)
    x = np.column_stack([columns.numbers(frame[name], "input") for name in names])
    target = frame[options.target]
    if options.labels or columns.is_text(target):
        task, notes = of_classes(x, target, options)
    else:
        task, notes = of_numbers(x, target, options)
    notes.insert(0, f"{len(x)} rows; {options.target} is learned from {', '.join(names)}.")
    recipe = recipe_of(task, options)
    title = f"{options.target} of {options.data.name}"
    return Asked(task, recipe, notes, title)


def of_numbers(x: np.ndarray, target: pd.Series, options: Data) -> tuple[Task, list[str]]:
    """The task of a target of numbers, which is learned by squares."""
    y = columns.numbers(target, "target")
    kept = hold_out(options)
    task = given(x, y, **kept)
    notes = []
    if kept:
        which = "drawn anew for each seed" if options.hold_out == "random" else "the last ones"
        notes.append(f"{options.validation:.0%} of the rows are kept for validation, {which}.")
    if len(np.unique(y)) == 2:
        low, high = np.unique(y)
        notes.append(
            f"The target has only the values {low:g} and {high:g}, and is learned as a number; "
            "--labels learns classes."
        )
    return task, notes


def hold_out(options: Data) -> dict[str, Any]:
    """The options of `given` that keep rows from training."""
    if not options.validation:
        return {}
    return {"validation": options.validation, "hold_out": options.hold_out}


def of_classes(x: np.ndarray, target: pd.Series, options: Data) -> tuple[Task, list[str]]:
    """The task of a target of classes, which is learned by cross-entropy.

    The rows that are kept from training are test rows, the same for all seeds, and the share of
    them that is correct is the test accuracy.
    """
    labels, names = columns.classes(target)
    shown = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown += ", ..."
    notes = [f"The target has {len(names)} classes ({shown}), learned by cross-entropy."]
    kind: dict[str, Any] = {"loss": "cross_entropy", "classes": len(names)}
    if not options.validation:
        return given(x, labels, **kind), notes
    order = np.arange(len(x))
    if options.hold_out == "random":
        order = np.random.default_rng(0).permutation(len(x))
    n = kept_rows(len(x), options.validation)
    trained, kept = order[:n], order[n:]
    which = "drawn at random once" if options.hold_out == "random" else "the last ones"
    notes.append(f"{len(kept)} of the rows are test rows, {which}.")
    return given(x[trained], labels[trained], x[kept], labels[kept], **kind), notes


def recipe_of(task: Task, options: Data) -> Recipe:
    """The recipe that the options describe."""
    if options.steps is not None and options.epochs is not None:
        raise ValueError("--steps and --epochs both say how long the training is; give one of them")
    fields: dict[str, Any] = {"optimizer": options.optimizer, "batch_size": options.batch_size}
    if options.rate is not None:
        fields["learning_rate"] = options.rate
    if options.steps is not None:
        fields["steps"] = options.steps
    if options.epochs is not None:
        fields["steps"] = steps_of(task, options.epochs, options.batch_size)
    model = network(options.model, task.classes or 1)
    return Recipe(model=model, **fields)
