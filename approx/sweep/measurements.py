"""Tables of measurements: how fast which form and how many lanes were on an accelerator.

`make accelerator` measures the device of the machine that it runs on, and writes the user's own
table into the user's cache folder. Another table comes with the package.
"""

import json
import math
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1  # of the table's file
SHIPPED = Path(__file__).with_name("accelerators.json")
NEARLY = 1.1  # a smaller block is taken if its time per network is within this factor of the best
FAR = 10.0  # a case with this many times more or fewer parameters says nothing about a network
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
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
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


# ---- looking up ----------------------------------------------------------------------------------


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
