"""A folder of several recipes: each has a folder inside it, named by the recipe's label.

recipes.json lists the labels in their order, as the last command had them. If that laid the
recipes out on axes of structure, the names and the values of these stand there too.
"""

import json
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk import files
from approx.disk.description import FORMAT, read_sweep
from approx.disk.seals import DamagedError
from approx.sweep.results import NO_AXES

LONGEST_NAME = 255  # bytes of a file's name, in the file systems in use
OUR_FILES = ("sweep.json", "recipes.json")


def check_labels(out: Path, labels: list[str]) -> None:
    """Refuse labels of recipes that cannot be the names of folders beside each other.

    Args:
        out: the folder of all recipes.
        labels: the labels, as text.

    Raises:
        ValueError: names the label, and what is wrong with it.
    """
    if (out / "sweep.json").exists():
        raise ValueError(
            f"{out} holds the sweep of a single recipe without a label: "
            "choose another folder for several"
        )
    seen: dict[str, str] = {}
    for label in labels:
        about = (
            f"the recipe {label[:60]!r} gets a folder of its own in {out}: "
            "call it so that it can be a name"
        )
        if wrong := wrong_name(label):
            raise ValueError(f"{about}, {wrong}")
        as_systems_see_it = unicodedata.normalize("NFKC", label).casefold()
        alike = seen.setdefault(as_systems_see_it, label)
        if alike != label:
            raise ValueError(
                f"{about}; it differs from {alike!r} only in what some systems' names do not "
                "tell apart"
            )


def wrong_name(label: str) -> str:
    """What keeps a label from being the name of a folder; "" if nothing does."""
    plain = re.fullmatch(r"[^/\\.][^/\\]*", label)
    if not plain or not label.isprintable():
        return "without slashes, a dot in front, or characters that do not print"
    length = len(os.fsencode(label))
    if length > LONGEST_NAME:
        return f"of at most {LONGEST_NAME} bytes; it has {length}"
    if label in OUR_FILES:
        return "which is not that of a file of ours"
    return ""


def recipes(path: Path) -> dict[Any, Path]:
    """The folder of each recipe, by label, in the order of recipes.json.

    Args:
        path: a folder of several recipes, or that of one sweep, which gives {None: path}. Of
            recipes on axes of structure, those of the last command are taken, so that none is
            missing on the axes.

    Raises:
        ValueError: a recipe's folder is missing, or has the name of another recipe.
    """
    inner = {each.parent.name: each.parent for each in sorted(path.glob("*/sweep.json"))}
    # The label 0.1, a number, has the folder "0.1".
    labels = {str(label): label for label in read_labels(path)}
    if (path / "sweep.json").exists() or not (inner or labels):
        return {None: path}
    check_names(inner)  # comes first: a folder that was renamed is missing under its own name too
    for name in labels:
        if name not in inner:
            example = path / next(iter(inner), name)
            raise ValueError(
                f"{path} has nothing of the recipe {name!r}: the same command again computes it; "
                f"or load the others one by one, such as {example}"
            )
    names = dict.fromkeys(labels if read_axes(path) else [*labels, *inner])
    return {labels.get(name, name): inner[name] for name in names}


def check_names(inner: dict[str, Path]) -> None:
    """Refuse a recipe's folder that has another name than when it was written.

    Args:
        inner: the folders by their names.

    Raises:
        ValueError: names the folder, and how it was called.
    """
    for name, folder in inner.items():
        label = read_sweep(folder).get("label")
        if label not in (None, name):
            raise ValueError(
                f"{folder} holds the trainings of the recipe {label!r}: call it {label!r} again"
            )


def read_labels(path: Path) -> list[str | int | float]:
    """The labels that recipes.json lists; [] if there is no such file.

    Raises:
        ValueError: the list is damaged.
    """
    file = path / "recipes.json"
    remedy = "delete it to have the recipes in alphabetical order; the same command makes it again"
    if not file.exists():
        return []
    try:
        found = json.loads(file.read_bytes())
        if isinstance(found, list):  # as an earlier version wrote them
            labels = found
        else:
            labels = files.read_json(file)[0]["labels"]
        if not (labels and all(isinstance(label, str | int | float) for label in labels)):
            raise ValueError(f"its labels are {labels!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{file} is damaged ({error}): {remedy}") from None
    return labels


def read_axes(path: Path) -> dict[str, np.ndarray]:
    """The axes of structure on which the recipes of a folder are laid out; {} for none.

    Raises:
        ValueError: recipes.json is damaged.
    """
    file = path / "recipes.json"
    if (path / "sweep.json").exists() or not read_labels(path):
        return {}
    if isinstance(json.loads(file.read_bytes()), list):
        return {}
    found = files.read_json(file)[0].get("axes", [])
    return {name: np.asarray(values) for name, values in found}


def write_labels(path: Path, labels: list, axes: Mapping[str, np.ndarray] = NO_AXES) -> None:
    """Write recipes.json, unless it lists the same labels and axes already."""
    listed = [[name, values.tolist()] for name, values in axes.items()]
    try:
        known = [[name, values.tolist()] for name, values in read_axes(path).items()]
        same = read_labels(path) == labels and known == listed
    except DamagedError:
        same = False
    if same:
        return
    content: dict[str, Any] = {"format": FORMAT, "labels": labels}
    if listed:
        content["axes"] = listed
    files.write_json(path / "recipes.json", content)
