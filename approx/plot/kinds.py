"""Checks that a figure and its table agree, and dots for seeds in the colours of their kinds.

A kind says what became of a training, such as "learned" or "diverged". Every kind that is drawn has
a colour and a place in the legend, and their counts are those of the table.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

FOUND = "at"  # the plateaus that `stats.plateaus` finds are named by their value, "at 0.4774"
ADVICE = "The experiment writes both: run it again, with --saved to judge anew"


def drawn_as(kinds: Iterable[str], groups: Mapping[str, str]) -> np.ndarray:
    """The name under which each kind is drawn.

    Args:
        kinds: the kinds of trainings, such as `stats.plateaus(...).kind.values`.
        groups: {every kind that there can be: the name under which it is drawn}; "at" stands for
            all plateaus that are named by their value.

    Returns:
        An array of strings, one for each kind.

    Raises:
        ValueError: a kind that is in no group. It would be drawn without a colour, and be missing
            in the legend.

    Example:
        drawn_as(["learned", "at 0.47"], {"learned": "learned", "at": "a plateau"})
        # ["learned", "a plateau"]
    """
    given = [str(kind) for kind in kinds]
    general = {kind: FOUND if kind.startswith(f"{FOUND} ") else kind for kind in given}
    unknown = sorted(kind for kind, name in general.items() if name not in groups)
    if unknown:
        raise ValueError(f"no colour for the kinds {unknown}: the figure knows {', '.join(groups)}")
    return np.array([groups[general[kind]] for kind in given], object)


def check_colors(names: Iterable[str], colors: Mapping[str, object]) -> None:
    """Refuse kinds that no colour was given for.

    Raises:
        ValueError: naming them and those that have one.
    """
    missing = [str(name) for name in names if str(name) not in colors]
    if missing:
        there = ", ".join(map(str, colors)) or "none"
        raise ValueError(f"no colour for the kinds {missing}: colors= has {there}")


def check_counts(
    kinds: Mapping[str, Sequence[str]], table: Iterable[Mapping[str, str]], label: str = "label"
) -> None:
    """Refuse to draw seeds' kinds that contradict a table of their counts.

    Args:
        kinds: the kind of every seed of a recipe, by the recipe's label.
        table: rows with a recipe's label, `kind` and `seeds`, their number; a kind without a row
            has no seeds.
        label: the column of the labels.

    Raises:
        ValueError: naming the first counts that differ.
    """
    here: Counter[tuple[str, str]] = Counter()
    for name, found in kinds.items():
        here.update((name, str(kind)) for kind in found)
    there: Counter[tuple[str, str]] = Counter()
    for row in table:
        there[row[label], row["kind"]] = int(row["seeds"])
    for recipe, kind in sorted(here | there):
        ours = here[recipe, kind]
        said = there[recipe, kind]
        if ours != said:
            raise ValueError(
                f"the figure would contradict its table: {ours} seeds of {recipe!r} are {kind!r} "
                f"in the results, and {said} in the summary. {ADVICE}"
            )


def check_number(what: str, ours: float, said: float, digits: int = 3) -> None:
    """Refuse to draw a number that contradicts the one in a table.

    Args:
        what: what the number is, for the error.
        ours: the number in the results.
        said: the number in the table.
        digits: significant digits that the table's number was rounded to.

    Raises:
        ValueError: naming both.
    """
    here = f"{ours:.{digits}g}"
    there = f"{said:.{digits}g}"
    last_digit = 10.0 ** (1 - digits)
    if here != there and not np.isclose(ours, said, rtol=last_digit, atol=0):
        raise ValueError(
            f"the figure would contradict its table: {what} is {here} in the results and {there} "
            f"in the summary. {ADVICE}"
        )


def check_identity(what: str, ours: str, said: str) -> None:
    """Refuse to draw results beside a table that was made of other results.

    Args:
        what: whose results they are, for the error.
        ours: the identity of the results.
        said: the beginning of the identity that the table notes.

    Raises:
        ValueError: naming both.
    """
    if not said or not ours.startswith(str(said)):
        raise ValueError(
            f"the figure would contradict its table: the results of {what} are {ours[:12]}, and "
            f"the summary was made of {said}. {ADVICE}"
        )


def seed_dots(
    ax: Axes,
    values: np.ndarray,
    kinds: np.ndarray,
    colors: Mapping[str, object],
    heights: np.ndarray,
    **options: Any,
) -> None:
    """A dot for each seed, in the colour of its kind.

    Args:
        ax: axes to draw on.
        values: (seeds,) where the dots are from left to right, such as final losses.
        kinds: (seeds,) the kind of each seed.
        colors: {kind: its colour}.
        heights: (seeds,) where the dots are upwards: the row of a recipe, and a little chance.
        **options: of `Axes.plot`.

    Raises:
        ValueError: a kind without a colour.
    """
    check_colors(np.unique(kinds.astype(str)), colors)
    dot: dict[str, Any] = {
        "marker": ".",
        "linestyle": "",
        "markersize": 2.2,
        "markeredgewidth": 0,
    } | options
    for kind, color in colors.items():
        here = kinds == kind
        if here.any():
            ax.plot(
                values[here],
                heights[here],
                color=color,
                **dot,
            )
