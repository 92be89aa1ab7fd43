"""The references as a table of text."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from approx import stats

HEADS = {
    "loss": "training",
    "test_loss": "inside",
    "outside_loss": "outside",
    "accuracy": "correct",
    "test_accuracy": "correct inside",
    "outside_accuracy": "correct outside",
}


def table(references: xr.Dataset, level: float = 0.95) -> str:
    """The references as a table of text, one line for each method, and what must be known of them.

    With several seeds each error is the median, and [low, high] its interval (see
    `stats.quantiles`); "inf" is its upper end where there are too few seeds to bound the median. A
    star points to the sentence below the table that says why an error is missing, or what it means.

    Args:
        references: what `ap.references` returned.
        level: the intervals' probability of covering.

    Returns:
        The lines as one string, in the syntax of a Markdown table.

    Raises:
        ValueError: something else than references.

    Example:
        >>> print(ap.classical.table(ap.references(ap.tasks.square(), seeds=20)))
    """
    if not isinstance(references, xr.Dataset) or "counts" not in references:
        raise ValueError("write classical.table(ap.references(task)): these are no references")
    shown = [name for name in HEADS if name in references]
    lines = ["| " + " | ".join(["method", "parameters", *(HEADS[name] for name in shown)]) + " |"]
    lines.append("| --- | ---: |" + " ---: |" * len(shown))
    notes = []
    for method in references.reference.values.tolist():
        one = references.sel(reference=method)
        said = note_of(one)
        if said:
            notes.append(f"* {method}: {said}")
        star = "*" if said else ""
        cells = [method + star, size_of(one)]
        cells += [error(one, name, level) for name in shown]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, *([""] if notes else []), *notes])


def note_of(one: xr.Dataset) -> str:
    """The first note of a method that says something, over the seeds."""
    return next((text for text in np.atleast_1d(one.note.values).tolist() if text), "")


def size_of(one: xr.Dataset) -> str:
    """How many numbers a method fitted, or rows it kept; from the least to the most over seeds."""
    counts = np.atleast_1d(one.parameters.values)
    text = f"{counts.min():,}"
    if counts.min() < counts.max():
        text = f"{text} to {counts.max():,}"
    if str(one.counts.item()) == "rows":
        return f"{text} rows"
    if not counts.max():
        return "none"
    return text


def error(one: xr.Dataset, name: str, level: float) -> str:
    """An error as text, or its median and interval over seeds."""
    values = one[name]
    if np.isnan(values.values).any():
        return "none"
    if "seed" not in values.dims:
        return rounded([values.item()], name)
    found = stats.quantiles(one, name, 0.5, level=level).isel(quantile=0)
    middle = rounded([found[name].item()], name)
    if float(values.min()) == float(values.max()):
        return middle
    return f"{middle} [{rounded([found.low.item(), found.high.item()], name)}]"


def rounded(values: Sequence[float], name: str) -> str:
    """Losses with three digits, shares in percent."""
    if name.endswith("accuracy"):
        return ", ".join(f"{value:.1%}" for value in values)
    return ", ".join(f"{value:.3g}" for value in values)
