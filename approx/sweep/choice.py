"""Which form a program takes, and how many networks a block has, if the user does not say.

On a CPU both follow from the sizes of the network and of its data, by rules that were measured once
(see `layouts`). On an accelerator they are looked up in a table of measurements. `make accelerator`
measures the device of the machine that it runs on, and writes the user's own table into the user's
cache folder. Another table comes with the package; the user's own is asked first. Where a device is
in neither table, the choice is a guess, and `run` says so.
"""

import json
import math
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jax import random

from approx.sweep import layouts
from approx.tasks import Task
from approx.training import steps
from approx.training.recipes import Recipe

FORMS = ("vmap", "columns", "lanes")
FORMAT = 1  # of the table's file
SHIPPED = Path(__file__).with_name("accelerators.json")
GUESSED_LANES = 4096  # networks of a block on an accelerator that nobody has measured
NEARLY = 1.1  # a smaller block is taken if its time per network is within this factor of the best
FAR = 10.0  # a case with this many times more or fewer parameters says nothing about a network
MOST_MATRIX_NUMBERS = 2**28  # of a block's square matrices with one row per parameter
REMEDY = "`make accelerator` in a clone of approx measures it, in at most eight minutes"


class Measured(NamedTuple):
    """The time of one program on one device.

    Attributes:
        case: the benchmark case, such as "P1".
        parameters: how many numbers one network has.
        rows: how many training rows one step uses.
        form: the form of the program: "vmap", "columns" or "lanes".
        lanes: how many networks are in the block.
        ns: nanoseconds per network and step.

    """

    case: str
    parameters: int
    rows: int
    form: str
    lanes: int
    ns: float


# ---- the tables ----------------------------------------------------------------------------------


def cache_folder() -> Path:
    """The user's folder for files that can be made again, by the conventions of the system."""
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "approx"


def users_table() -> Path:
    """The file in which this user's own measurements are kept."""
    return cache_folder() / "accelerators.json"


def read(path: Path) -> dict[str, list[Measured]]:
    """The measurements in a table, by the kind of device; {} if there is no such file.

    Raises:
        ValueError: the file is damaged, or of a newer format.

    """
    if not path.is_file():
        return {}
    devices = {}
    try:
        content = json.loads(path.read_text())
        version = content["format"]
        for name, device in content["devices"].items():
            devices[name] = [Measured(**entry) for entry in device["measured"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a table of measured devices ({error!r}): remove it, then {REMEDY}"
        ) from error
    if version > FORMAT:
        raise ValueError(f"{path} has format {version}; this version reads up to {FORMAT}")
    return devices


def write(path: Path, device: str, measured: Iterable[Measured], about: dict[str, Any]) -> None:
    """Write the measurements of one device into a table, in place of its earlier ones.

    Args:
        path: the table's file; it is made if there is none.
        device: the kind of device, as JAX names it.
        measured: the measurements.
        about: what else is known of them, such as versions and the day.

    Raises:
        ValueError: the file that is there is damaged, or of a newer format.

    """
    devices = {}
    if read(path):
        devices = json.loads(path.read_text())["devices"]
    devices[device] = about | {"measured": [each._asdict() for each in measured]}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps({"format": FORMAT, "devices": devices}, indent=1) + "\n")
    os.replace(temporary, path)
    known.cache_clear()


@lru_cache
def known(device: str) -> tuple[Measured, ...]:
    """All measurements of a kind of device: the user's own if there are any, else the package's."""
    own = read(users_table()).get(device, [])
    return tuple(own or read(SHIPPED).get(device, []))


# ---- the choice from a table ---------------------------------------------------------------------


def nearest(measured: Iterable[Measured], parameters: int, rows: int) -> list[Measured]:
    """The measurements of the case that is most like a network; none if all are `FAR` from it.

    Two cases are alike if the logarithms of their parameters, and of the rows of a step, are close.
    Parameters count twice, as memory for them is what limits a block.

    Args:
        measured: the measurements of one device.
        parameters: how many numbers the network has.
        rows: how many training rows a step uses.
    """

    def distance(each: Measured) -> float:
        of_parameters = abs(math.log(each.parameters / parameters))
        of_rows = abs(math.log(each.rows / rows))
        return 2 * of_parameters + of_rows

    alike = [each for each in measured if 1 / FAR <= each.parameters / parameters <= FAR]
    if not alike:
        return []
    closest = min(alike, key=distance)
    return [each for each in alike if each.case == closest.case]


def best(measured: list[Measured], forms: Iterable[str]) -> Measured | None:
    """The smallest block whose time per network is nearly the best; None if there is none.

    Args:
        measured: the measurements of one case.
        forms: the forms that the program can take.
    """
    possible = [each for each in measured if each.form in forms]
    if not possible:
        return None
    least = min(each.ns for each in possible)
    fast = [each for each in possible if each.ns <= NEARLY * least]
    return min(fast, key=lambda each: each.lanes)


def looked_up(task: Task, recipe: Recipe, device: Any, forms: Iterable[str]) -> Measured | None:
    """The best measurement of the case that is most like a task and recipe; None if there is none.

    Args:
        task: what is learned.
        recipe: how it is learned.
        device: an accelerator of JAX's.
        forms: the forms that the program can take.
    """
    measured = known(device.device_kind)
    if not measured:
        return None
    rows = shape_of_rows(task)[0]
    of_step = min(recipe.batch_size or rows, rows)
    return best(nearest(measured, count_parameters(task, recipe), of_step), forms)


# ---- what the choice depends on ------------------------------------------------------------------


def possible_forms(task: Task, recipe: Recipe) -> list[str]:
    """Every form that the program of this task and recipe can take."""
    forms = ["vmap"]
    if layouts.columns_possible(task, recipe):
        forms.append("columns")
    if layouts.possible(task, recipe):
        forms.append("lanes")
    return forms


def count_parameters(task: Task, recipe: Recipe) -> int:
    """How many numbers one network has, found without computing any of them."""
    state: Any = jax.eval_shape(lambda: steps.init(random.key(0), task, recipe))
    return sum(leaf.size for leaf in jax.tree.leaves(state.params))


def shape_of_rows(task: Task) -> tuple[int, ...]:
    """The shape (rows, inputs) of the inputs that a network is trained on."""

    def inputs(key):
        training_rows, _ = task.split(key, key)
        return training_rows[0]

    return jax.eval_shape(inputs, random.key(0)).shape


# ---- the choice ----------------------------------------------------------------------------------


def choose_lanes(task: Task, recipe: Recipe, form: str | None = None) -> int:
    """How many networks are in a block. It does not depend on how many networks are asked for.

    Args:
        task: what is learned.
        recipe: how it is learned.
        form: the form of the program, if the user has said it.
    """
    device = jax.local_devices()[0]
    parameters = count_parameters(task, recipe)
    has_matrix = recipe.optimizer in ("lm", "bfgs")  # for each network, parameters by parameters
    if device.platform == "cpu":
        return layouts.number(parameters, has_matrix)
    forms = possible_forms(task, recipe) if form is None else [form]
    lanes = GUESSED_LANES
    if found := looked_up(task, recipe, device, forms):
        lanes = found.lanes
    if has_matrix:
        fitting = MOST_MATRIX_NUMBERS // parameters**2
        return min(lanes, max(1, fitting))
    return lanes


def choose_form(form: str | None, task: Task, recipe: Recipe, lanes: int) -> str:
    """The form that the user has said, if it is possible; or the fastest one.

    Args:
        form: what the user has said, or None.
        task: what is learned.
        recipe: how it is learned.
        lanes: how many networks are in a block.

    Raises:
        ValueError: the form is unknown, or this task and recipe cannot take it.

    """
    if form not in (None, *FORMS):
        raise ValueError(
            f"unknown form {form!r}; there is: {', '.join(FORMS)}, or None to choose the faster"
        )
    possible = possible_forms(task, recipe)
    if form is None:
        return fastest_form(task, recipe, lanes, possible)
    if form == "lanes" and form not in possible:
        raise ValueError(
            'form="lanes" needs a model, activation, loss, accuracy and optimizer of the '
            'catalogue; use form="vmap"'
        )
    if form == "columns" and form not in possible:
        raise ValueError(
            'form="columns" needs what form="lanes" does, all rows in every step, and neither '
            'scalings, dropout nor a method of second order; use form="vmap"'
        )
    return form


def fastest_form(task: Task, recipe: Recipe, lanes: int, possible: list[str]) -> str:
    """The form that was the fastest in measurements.

    Args:
        task: what is learned.
        recipe: how it is learned.
        lanes: how many networks are in a block.
        possible: the forms that the program can take.
    """
    device = jax.local_devices()[0]
    if device.platform != "cpu":
        found = looked_up(task, recipe, device, possible)
        return "vmap" if found is None else found.form
    rows = shape_of_rows(task)
    if "lanes" in possible and layouts.suits(task, recipe, lanes, rows[1], "cpu"):
        return "lanes"
    if "columns" in possible and layouts.columns_suit(recipe, rows, "cpu"):
        return "columns"
    return "vmap"


def remark(device: Any) -> str:
    """What the user should know about the choice on this device; "" if the device was measured."""
    if device.platform == "cpu" or known(device.device_kind):
        return ""
    return f"form and lanes are guesses, since {device.device_kind} was never measured: {REMEDY}"
