"""Which variables the runs of a row will have, and which of them a study reads."""

from collections.abc import Mapping

import jax
import numpy as np

from approx.study import claims as claiming
from approx.study.declaration import Declaration
from approx.sweep.facts import Facts, x64
from approx.sweep.request import Request
from approx.training.loop import start

OF_INSIDE, OF_OUTSIDE = "test_", "outside_"


def read_of(study: Declaration, label: str) -> dict[str, str]:
    """The variables of a row's runs that a study reads by name, with what reads each."""
    found: dict[str, str] = {}
    for name, measure in study.measures.items():
        if isinstance(measure.of, str):
            found[measure.of] = f"the measure {name!r}"
    for claim in study.claims:
        rows = [study.views[one].of if one in study.views else one for one in claim_rows(claim)]
        if claim.kind == claiming.VALUES and label in rows:
            found[claim.of] = f"the claim {claim.text!r}"
    for name, view in study.views.items():
        if view.of == label and view.by is not None:
            found[view.by] = f"the view {name!r}"
    for number in study.reported:
        if number.row == label and isinstance(number.of, str):
            found[number.of] = f"the reported number {number.text!r}"
    return found


def claim_rows(claim: claiming.Claim) -> list[str]:
    """The labels that a claim names."""
    return [label for label in (claim.row, claim.against) if label]


def check_variables(request: Request, read: Mapping[str, str]) -> None:
    """Refuse a study that reads variables which a row's runs will not have.

    Args:
        request: for the runs of a row, checked.
        read: see `read_of`.

    Raises:
        ValueError: naming the variable, what reads it, and the variables that there are.
    """
    if not read:
        return
    (entry,) = request.entries
    shapes = shapes_of(entry.facts, request)
    for name, by in read.items():
        if name not in shapes:
            there = ", ".join(shapes)
            raise ValueError(
                f"{by} is about {name!r}, which its runs do not have; they have {there}"
            )
        if shapes[name]:
            raise ValueError(
                f"{by} is about {name!r}, which is an array of shape {shapes[name]} at every "
                "record; a measure must be one number: give a function as success="
            )


def shapes_of(known: Facts, request: Request) -> dict[str, tuple[int, ...]]:
    """The variables of a row's runs, with the shape of each at one record of one seed."""
    task, recipe = known.task, known.recipe

    def begun(key):
        return start(key, task, recipe, request.keeping, checked=True)[1]

    with x64(recipe):
        trace = jax.eval_shape(begun, jax.random.key(0))
    fields = trace._asdict()
    several = {**fields.pop("metrics"), **fields.pop("reports")}
    for name in ("prediction", "params"):
        del fields[name]
    found = {name: each.shape[1:] for name, each in fields.items() if each is not None}
    found |= {name: each.shape[1:] for name, each in several.items()}
    found.setdefault("evaluations", ())
    return without_points(known, found)


def without_points(known: Facts, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The variables without those of test points inside or outside, where there are none."""
    if not known.task.tested:
        return shapes
    distance = np.asarray(known.task.points().distance)
    absent = []
    if not (distance <= 0).any():
        absent += [OF_INSIDE, f"output_{OF_INSIDE}"]
    if not (distance > 0).any():
        absent.append(OF_OUTSIDE)
    return {name: each for name, each in shapes.items() if not name.startswith(tuple(absent))}
