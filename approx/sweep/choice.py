"""Which form a program takes, and how many networks a block has, if the user does not say.

On a CPU both follow from the sizes of the network and of its data, by rules that were measured once
(see `layouts`). On an accelerator they are looked up in tables of measurements; the user's own
table is asked before the one that comes with the package. Where a device is in neither table, the
choice is a guess, and `run` says so.
"""

import math
import warnings
from collections.abc import Iterable
from typing import Any

import jax

from approx.sweep import layouts, measurements, processors
from approx.sweep.facts import Facts
from approx.sweep.measurements import Measured
from approx.tasks import losses

FORMS = ("vmap", "columns", "lanes")
GUESSED_LANES = 4096  # networks of a block on an accelerator that nobody has measured
AVX2_NUMBERS = 8  # in single precision, in a vector of a processor with AVX2
MOST_MATRIX_NUMBERS = 2**28  # of a block's square matrices with one row per parameter


# ---- what the choice depends on ------------------------------------------------------------------


def possible_forms(facts: Facts) -> list[str]:
    """Every form that the program of this task and recipe can take."""
    forms = ["vmap"]
    if layouts.columns_possible(facts):
        forms.append("columns")
    if layouts.possible(facts):
        forms.append("lanes")
    return forms


def looked_up(facts: Facts, device: Any, forms: Iterable[str]) -> Measured | None:
    """The best measurement of the case that is most like a task and recipe; None if there is none.

    Args:
        facts: of the task and the recipe.
        device: an accelerator of JAX's.
        forms: the forms that the program can take.
    """
    measured = measurements.known(device.device_kind)
    if not measured:
        return None
    alike = measurements.nearest(measured, facts.parameters, facts.rows_in_step)
    return measurements.best(alike, forms)


# ---- the choice ----------------------------------------------------------------------------------


def choose_lanes(facts: Facts, form: str | None = None) -> int:
    """How many networks are in a block. It does not depend on how many networks are asked for.

    Args:
        facts: of the task and the recipe.
        form: the form of the program, if the user has said it.
    """
    device = jax.local_devices()[0]
    parameters = facts.parameters
    has_matrix = facts.recipe.optimizer in (
        "lm",
        "bfgs",
    )  # for each network, parameters by parameters
    if device.platform == "cpu":
        return layouts.number(parameters, has_matrix)
    forms = possible_forms(facts) if form is None else [form]
    lanes = GUESSED_LANES
    if found := looked_up(facts, device, forms):
        lanes = found.lanes
    if has_matrix:
        fitting = MOST_MATRIX_NUMBERS // parameters**2
        return min(lanes, max(1, fitting))
    return lanes


def choose_form(form: str | None, facts: Facts, lanes: int) -> str:
    """The form that the user has said, if it is possible; or the fastest one.

    Args:
        form: what the user has said, or None.
        facts: of the task and the recipe.
        lanes: how many networks are in a block.

    Raises:
        ValueError: the form is unknown, or this task and recipe cannot take it.

    """
    if form not in (None, *FORMS):
        raise ValueError(
            f"unknown form {form!r}; there is: {', '.join(FORMS)}, or None to choose the faster"
        )
    possible = possible_forms(facts)
    if form is None:
        return fastest_form(facts, lanes, possible)
    if form == "lanes" and form not in possible:
        raise ValueError(
            'form="lanes" needs an MLP or another network of models, scaled or not, and an '
            f'optimizer without a line search{remark_on_loss(facts)}; use form="vmap"'
        )
    if form == "columns" and form not in possible:
        raise ValueError(
            'form="columns" needs what form="lanes" does, all rows in every step, and neither '
            'scalings, dropout nor a method of second order; use form="vmap"'
        )
    return form


def lanes_of_form(form: str, lanes: int, said: bool) -> int:
    """The lanes of a block, which in the form "columns" fill the vectors of a processor with AVX2.

    Where they do not, XLA computes the end of some loops number by number and rounds it otherwise,
    so that the bits of a block's last network depend on its place: seen on an AMD EPYC with AVX2
    and 4 lanes, in 20 of 64 trainings of 1-5-4-3 tanh after 20 steps; with 8, 16 or 64 lanes in
    none. With AVX-512 it was not seen.

    Args:
        form: the form that the program takes.
        lanes: how many networks a block was to have.
        said: whether the user asked for this number. Then it stays, and the user is warned.

    Returns:
        How many networks a block has.
    """
    cpu = jax.local_devices()[0].platform == "cpu"
    fills = lanes == 1 or lanes % AVX2_NUMBERS == 0
    if form != "columns" or not cpu or fills or not processors.processor().endswith(" avx2"):
        return lanes
    filling = AVX2_NUMBERS * math.ceil(lanes / AVX2_NUMBERS)
    if not said:
        return filling
    warnings.warn(
        f"lanes is {lanes}: in the form columns, a block's last network may be rounded otherwise "
        f"than the others on this processor, so its bits depend on its place; take {filling} lanes",
        stacklevel=6,
    )
    return lanes


def remark_on_loss(facts: Facts) -> str:
    """What else the form "lanes" needs of a loss that sees the network, to end a sentence."""
    if not isinstance(facts.task.loss, losses.OfNetwork):
        return ""
    why = f" ({facts.obstacle})" if facts.obstacle else ""
    return (
        "; of a loss that sees the network it needs a value for each row from that row alone, no "
        f'dropout, no `correct`, and another optimizer than "lm"{why}'
    )


def fastest_form(facts: Facts, lanes: int, possible: list[str]) -> str:
    """The form that was the fastest in measurements.

    Args:
        facts: of the task and the recipe.
        lanes: how many networks are in a block.
        possible: the forms that the program can take.
    """
    if facts.obstacle:
        return "vmap"
    device = jax.local_devices()[0]
    if device.platform != "cpu":
        found = looked_up(facts, device, possible)
        return "vmap" if found is None else found.form
    rows = facts.inputs.shape
    if "lanes" in possible and layouts.suits(facts.recipe, lanes, rows[1]):
        return "lanes"
    if "columns" in possible and layouts.columns_suit(facts.recipe, rows):
        return "columns"
    return "vmap"


def remark(device: Any) -> str:
    """What the user should know about the choice on this device; "" if the device was measured."""
    if device.platform == "cpu" or measurements.known(device.device_kind):
        return ""
    return (
        f"form and lanes are guesses, since {device.device_kind} was never measured: "
        f"{measurements.REMEDY}"
    )
