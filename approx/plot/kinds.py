"""Kinds of endings in figures: each has a colour and a place in the legend, and their counts are
those of the table.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

FOUND = "at"  # the plateaus that `stats.plateaus` finds are named by their value, "at 0.4774"


def drawn_as(kinds: Iterable[str], groups: Mapping[str, str]) -> np.ndarray:
    """What each kind is drawn as.

    Args:
        kinds: of trainings, such as `stats.plateaus(...).kind.values`.
        groups: for every kind that there can be, what it is drawn as; "at" stands for all plateaus
            that are named by their value.

    Returns:
        An array of strings, one for each kind.

    Raises:
        ValueError: a kind that is in no group. It would be drawn without a colour, and be missing
            in the legend.

    Example:
        drawn_as(["learned", "at 0.4774"], {"learned": "learned", "at": "a plateau"})  # ["learned",
        "a plateau"]
    """
    given = [str(kind) for kind in kinds]
    general = [FOUND if kind.startswith(f"{FOUND} ") else kind for kind in given]
    unknown = sorted(
        {kind for kind, group in zip(given, general, strict=True) if group not in groups}
    )
    if unknown:
        raise ValueError(f"no colour for the kinds {unknown}: the figure knows {', '.join(groups)}")
    return np.array([groups[group] for group in general], object)


def check_colors(names: Iterable[str], colors: Mapping[str, object]) -> None:
    """Refuse kinds that no colour was given for.

    Raises:
        ValueError: naming them and those that have one.
    """
    missing = [str(name) for name in names if str(name) not in colors]
    if missing:
        raise ValueError(
            f"no colour for the kinds {missing}: colors= has {', '.join(map(str, colors)) or 'none'}"
        )


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
    here = Counter((name, str(kind)) for name, found in kinds.items() for kind in found)
    there = Counter({(row[label], row["kind"]): int(row["seeds"]) for row in table})
    for recipe, kind in sorted(here | there):
        ours, said = here[recipe, kind], there[recipe, kind]
        if ours != said:
            raise ValueError(
                f"the figure would contradict its table: {ours} seeds of {recipe!r} are {kind!r} in the results, "
                f"and {said} in the summary. The experiment writes both: run it again, with --saved to judge anew"
            )


def check_number(what: str, ours: float, said: float, digits: int = 3) -> None:
    """Refuse to draw a number that contradicts the one in a table, which was rounded to so many
    significant digits.

    Raises:
        ValueError: naming both.
    """
    if f"{ours:.{digits}g}" != f"{said:.{digits}g}" and not np.isclose(
        ours, said, rtol=10.0 ** (1 - digits), atol=0
    ):
        raise ValueError(
            f"the figure would contradict its table: {what} is {ours:.{digits}g} in the results and "
            f"{said:.{digits}g} in the summary. The experiment writes both: run it again, with --saved to judge anew"
        )


def check_identity(what: str, ours: str, said: str) -> None:
    """Refuse to draw results beside a table that was made of others: it notes the beginning of
    their identity.

    Raises:
        ValueError: naming both.
    """
    if not said or not ours.startswith(str(said)):
        raise ValueError(
            f"the figure would contradict its table: the results of {what} are {ours[:12]}, and the summary was made "
            f"of {said}. The experiment writes both: run it again, with --saved to judge anew"
        )
