"""What may be wrong with a study's declaration, said before anything is trained."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from approx.changes.fields import same
from approx.stats.rates import READINGS
from approx.study import claims as claiming
from approx.study.claims import BASELINE
from approx.study.reported import Reported
from approx.study.rows import Row, View, slug
from approx.sweep.request import OPTIONS
from approx.tasks import shortened
from approx.training.recipes import is_number, record_steps

WHEN = tuple(reading for reading in READINGS if reading != "each")
# Options of `ap.run` that the study itself sets, or under which a row is no row of one study
SET_BY_STUDY = ("cross", "executor", "out", "progress", "seeds", "until")
SHARE = "seeds"  # the option that a study reads in its own way
MOST_LISTED = 30  # labels in one error


def check_mapping(name: str, given: Any) -> None:
    """Refuse what is no dictionary."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} is {shortened(given)}; give a dictionary {{label: ...}}")


def check_list(name: str, given: Any, kind: type) -> None:
    """Refuse a single entry, or a text, where a list of entries is meant."""
    if isinstance(given, kind | str) or not isinstance(given, Iterable):
        raise TypeError(f"{name} is a single {type(given).__name__}; give a list")


# ---- labels --------------------------------------------------------------------------------------


def check_texts(labels: Iterable[str]) -> None:
    """Refuse labels that cannot stand in a table, or whose files some systems take for one.

    Raises:
        ValueError: naming the labels.
    """
    files: dict[str, str] = {}
    for label in labels:
        if not label.strip() or len(label.splitlines()) > 1:
            raise ValueError(f"{label!r} is no label: it must be one line of text")
        file = slug(label).lower()
        if file in files:
            raise ValueError(
                f"the labels {files[file]!r} and {label!r} differ too little: on some computers "
                "their files would be one; give one of them another name"
            )
        files[file] = label


def require_label(known: Iterable[str], label: Any, what: str, kind: str = "row") -> None:
    """Raise a ValueError that lists the labels unless one of them is meant."""
    known = list(known)
    if label not in known:
        there = ", ".join(map(repr, known[:MOST_LISTED]))
        more = len(known) - MOST_LISTED
        if more > 0:
            there += f" and {more} more"
        raise ValueError(f"{what} names the {kind} {label!r}; there are only: {there}")


def check_views(views: Mapping[str, View], rows: Mapping[str, Row]) -> None:
    """Refuse views that are none, and those of rows that there are not or that are too short."""
    for label, view in views.items():
        if not isinstance(view, View):
            raise TypeError(
                f"the view {label!r} is {shortened(view)}; make one with ap.study.best_of or "
                "ap.study.until"
            )
        if label in rows:
            raise ValueError(f"a row and a view are both called {label!r}")
        if view.of in views:
            raise ValueError(
                f"the view {label!r} looks at the view {view.of!r}; a view looks at a row"
            )
        require_label(rows, view.of, f"the view {label!r}")
        check_step(label, view, rows[view.of])


def check_step(label: str, view: View, row: Row) -> None:
    """Refuse a view of a step that its row has no record for."""
    if view.step is None:
        return
    records = record_steps(row.recipe)
    if not records[0] <= view.step <= records[-1]:
        raise ValueError(
            f"the view {label!r} is of step {view.step:,}; the records of {row.label!r} go from "
            f"step {records[0]:,} to {records[-1]:,}"
        )


def check_claim(claim: Any, labels: Iterable[str], measures: Iterable[str]) -> None:
    """Refuse a claim that is none, or that names a row or measure that there is not."""
    if not isinstance(claim, claiming.Claim):
        raise TypeError(
            f"claims has {shortened(claim)}; make it with ap.never, ap.usually, ap.helps, ..."
        )
    if claim.kind == claiming.OWN:
        return
    if claim.measure is not None:
        require_label(measures, claim.measure, f"the claim {claim.text!r}", "measure")
    for label in filter(None, (claim.row, claim.against)):
        require_label(labels, label, f"the claim {claim.text!r}")
    if claim.row == claim.against:
        raise ValueError(f"the claim {claim.text!r} compares {claim.row!r} with itself")


def check_pairs(claim: claiming.Claim, views: Mapping[str, View]) -> None:
    """Refuse a claim about two views whose groups of seeds differ: these make no pairs."""
    both = [view for label, view in views.items() if label in (claim.row, claim.against)]
    besides = [view for view in both if view.beside is not None]
    sizes = {view.seeds for view in besides}
    if len(sizes) > 1:
        raise ValueError(
            f"the claim {claim.text!r} compares the best of {min(sizes)} with the best of "
            f"{max(sizes)} seeds, whose groups do not make pairs; compare each with a row"
        )


def check_reported(number: Any, rows: Mapping[str, Row], labels: Iterable[str]) -> None:
    """Refuse a reported number of a row that there is not, or of a step without a record."""
    if not isinstance(number, Reported):
        raise TypeError(f"reported has {shortened(number)}; make it with ap.study.Reported")
    what = f"the reported number {number.text!r}"
    require_label(labels, number.row, what)
    if number.step is None or number.row not in rows or callable(number.of):
        return
    if number.step not in record_steps(rows[number.row].recipe):
        raise ValueError(
            f"{what} is of step {number.step:,}, which is no record of the row {number.row!r}: "
            "name it in the recipe's records="
        )


def check_judged(judged: Any, labels: Iterable[str]) -> None:
    """Refuse rows to judge that there are not; the baseline has nothing to be judged against."""
    if judged is None:
        return
    check_list("judged", judged, Mapping)
    for label in judged:
        require_label(labels, label, "judged")
        if label == BASELINE:
            raise ValueError("judged names the baseline, which the other rows are compared with")


# ---- options of ap.run ---------------------------------------------------------------------------


def check_options(options: Mapping[str, Any], rows: Mapping[str, Row]) -> None:
    """Refuse options of rows that `ap.run` does not have, or that the study sets itself.

    Raises:
        TypeError, ValueError: naming the row and the option.
    """
    for label, given in options.items():
        require_label(rows, label, "options")
        check_mapping(f"options of {label!r}", given)
        for name, value in given.items():
            check_option(label, name, value)
    keys = {label: options.get(label, {}).get("key", 0) for label in rows}
    first = keys[BASELINE]
    for label, key in keys.items():
        if not same(key, first):
            raise ValueError(
                f"options: {label!r} has another key than the baseline, so that its seeds are "
                "others; give every row the same key"
            )


def check_factor_on_seeds(label: str, value: Any) -> None:
    """Refuse a factor on a row's seeds that is no positive, finite number.

    Raises:
        TypeError, ValueError: naming the row.
    """
    said = (
        f"options of {label!r}: seeds is {shortened(value)}; it is a factor on the seeds that run "
        "is asked for, such as 0.25 or 4"
    )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(said)
    if not 0 < value < np.inf:
        raise ValueError(said)


def check_option(label: str, name: str, value: Any) -> None:
    """Refuse one option of a row."""
    if name == SHARE:
        check_factor_on_seeds(label, value)
        return
    if name in SET_BY_STUDY:
        raise ValueError(f"options of {label!r}: a study does not take {name!r} for one row")
    if name not in OPTIONS:
        raise TypeError(
            f"options of {label!r}: {name!r} is no option of ap.run. A number that is changed "
            f"belongs into changes=; options are: {', '.join(OPTIONS)}"
        )


# ---- numbers -------------------------------------------------------------------------------------


def is_share(value: Any) -> bool:
    """Whether this is a number from 0 to 1."""
    if isinstance(value, bool | str) or not is_number(value):
        return False
    return bool(0 <= value <= 1)


def check_numbers(matters: Any, level: Any, when: Any) -> None:
    """Refuse numbers of a study that are out of their range, and an unknown reading of success."""
    if not is_share(matters) or matters in (0, 1):
        raise ValueError(
            f"matters is {matters!r}; it is a difference of two rates between 0 and 1, such as 0.1"
        )
    if not is_share(level) or not 0.5 <= level < 1:
        raise ValueError(f"level is {level!r}; give a probability such as 0.95")
    if when not in WHEN:
        raise ValueError(f"when is {when!r}; it must be one of {', '.join(WHEN)}")


def check_distinct(texts: Iterable[str], what: str) -> None:
    """Refuse two entries of one text."""
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise ValueError(f"two {what} have the text {text!r}; give each its own")
        seen.add(text)


def check_functions(skip: Any, plateaus: Any, factors: Any) -> None:
    """Refuse what is called later and is no function; `skip` without factors leaves out nothing."""
    if skip is not None and not callable(skip):
        raise TypeError(f"skip is {shortened(skip)}; give a function of {{factor: level}}")
    if skip is not None and not factors:
        raise ValueError("skip= leaves out combinations of factors, and there are no factors")
    if not (plateaus is None or callable(plateaus) or isinstance(plateaus, Mapping)):
        raise TypeError(
            f"plateaus is {shortened(plateaus)}; give a dictionary {{name: training loss}}, or a "
            "function of a row's label"
        )


def check_fits(fits: Any) -> None:
    """Refuse a training loss that is no finite number; a function of labels is asked later."""
    if fits is None or callable(fits):
        return
    if isinstance(fits, bool | str) or not is_number(fits) or not np.isfinite(fits):
        raise ValueError(
            f"fits is {fits!r}; give a training loss such as 1e-3, a function of a row's label, "
            "or None"
        )


def check_tolerance(tolerance: Any) -> None:
    """Refuse a relative half-width of plateaus that is no share."""
    if not is_share(tolerance) or tolerance in (0, 1):
        raise ValueError(
            f"tolerance is {tolerance!r}; it is a share of a plateau's loss between 0 and 1, such "
            "as 0.02"
        )


def check_against(
    against: Mapping[str, str], views: Mapping[str, View], labels: Iterable[str]
) -> None:
    """Refuse comparisons of rows that there are not, of a row with itself, or without pairs.

    Raises:
        ValueError: naming the label, and those that there are.
    """
    for label, other in against.items():
        require_label(labels, label, "against")
        require_label(labels, other, f"against, for {label!r},")
        if label == other:
            raise ValueError(f"against compares {label!r} with itself; name another row")
        for one in (label, other):
            if one in views and views[one].beside is not None:
                raise ValueError(f"against names the view {one!r}, which brings its own comparison")
