"""The command line: `python -m approx ask`, `status FOLDER`, `verify FOLDER`, or `cache`.

`--help` says more.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tyro.conf import OmitArgPrefixes, Positional

from approx.asking.options import Data, Effort, Success
from approx.disk import chunks, description, folders, labelled
from approx.sweep import program_files
from approx.sweep.progress import duration, plural

SUCCESS, DATA, EFFORT = Success(), Data(), Effort()  # what is not said on the command line


def ask(
    question: Positional[Path | None] = None,
    success: OmitArgPrefixes[Success] = SUCCESS,
    data: OmitArgPrefixes[Data] = DATA,
    effort: OmitArgPrefixes[Effort] = EFFORT,
) -> int:
    """Say why a small network does not learn, and what helps: approx ask QUESTION.py.

    Or about a table: approx ask --data points.csv --target y --model "MLP(16, relu)" --below 0.01

    Args:
        question: a Python file that defines `study` (an ap.Study); or `task` and `recipe`, and
            perhaps `below`, `above` or `of`, for which the usual remedies are tried.
        success: what counts as success, where the file does not say it.
        data: the table of data, and how it is learned.
        effort: how much is trained, and where the answer goes.
    """
    # Studies need scipy and matplotlib, for whose import the other commands should not wait
    from approx.asking import answering

    return answering.ask(question, success, data, effort)


def status(folder: Positional[Path]) -> int:
    """Say how far a sweep is, whether a run is computing it, and how fast.

    Args:
        folder: that `run(out=...)` writes to; of several recipes, all of them.
    """
    inner = sweeps(folder)
    for each in inner:
        print("\n".join(described(each)))
    for label in missing_recipes(folder, inner):
        print(f"{folder / label}: not begun, or missing; the same command goes on")
    return 0


def sweeps(folder: Path) -> list[Path]:
    """The folder, or those of its recipes.

    Raises:
        FileNotFoundError: there is no sweep.
    """
    inner = sorted(path.parent for path in folder.glob("*/sweep.json"))
    if (folder / "sweep.json").exists() or not inner:
        description.read_sweep(folder)  # says what is missing
        return [folder]
    return inner


def missing_recipes(folder: Path, inner: list[Path]) -> list[str]:
    """Labels of the recipes that a folder of several should have and has not."""
    there = [each.name for each in inner]
    wanted = [str(label) for label in labelled.read_labels(folder)]
    return [label for label in wanted if label not in there]


# ---- status --------------------------------------------------------------------------------------


def described(folder: Path) -> list[str]:
    """The lines that `status` says of one sweep."""
    sweep = description.read_sweep(folder)
    axes = description.axes_of(sweep)
    asked = int(np.prod([len(values) for values in axes.values()]))
    done = diverged = 0
    damaged = []
    for path in chunks.paths(folder):
        try:
            index = chunks.read_index(path, sweep["sources"])
            done += index.sizes["training"]
            diverged += int(index.attrs["diverged"])
        except ValueError:
            damaged.append(path.name)
    running = folders.is_locked(folder)
    finished = f"{done:,} of {plural(asked, 'training')} finished ({done / asked:.1%})"
    lengths = " x ".join(f"{axis} {len(values):,}" for axis, values in axes.items())
    lines = [f"{folder}: {finished}, {diverged:,} diverged", f"  axes: {lengths}"]
    if damaged:
        lines.append(f"  damaged: {', '.join(damaged)}; `verify` says more")
    if running:
        lines += ["  " + line for line in pace(folder)]
    elif done < asked:
        lines.append("  nobody is at it; the same command goes on")
    return lines


def pace(folder: Path) -> list[str]:
    """How fast the run is that writes to a folder, how long it still takes, and who began it."""
    try:
        found = json.loads((folder / "progress.json").read_text())
        return pace_lines(found)
    except (OSError, ValueError, KeyError, TypeError):
        return ["running, it has not said yet how far it is"]


def pace_lines(found: Mapping[str, Any]) -> list[str]:
    """The lines of `pace`, from what progress.json says."""
    spent, share = found["now"] - found["began"], found["share"]
    left = "unknown"
    if share:
        left = duration(spent * (1 - share) / share)
    per_second = share * found["missing"] / max(spent, 1e-9)
    ago = duration(max(time.time() - found["now"], 0))
    return [
        f"running for {duration(spent)}: {per_second:,.3g} trainings per second, "
        f"{left} left (said {ago} ago)",
        f"command: {' '.join(found['command'])}",
    ]


# ---- verify --------------------------------------------------------------------------------------


def verify(folder: Positional[Path], count: int = 256, key: int = 0) -> int:
    """Check every file of a sweep, and compute a random sample of its trainings again.

    They are computed from the folder alone.

    Args:
        folder: that `run(out=...)` wrote to; of several recipes, all of them.
        count: how many trainings, at most.
        key: of the sample.
    """
    inner = sweeps(folder)
    fine = True
    for each in inner:
        expected = None
        if each != folder:
            expected = each.name
        fine &= verified(each, count, key, expected)
    for label in missing_recipes(folder, inner):
        fine = False
        print(
            f"{folder / label}: missing, though {folder / 'recipes.json'} names it\n  NOT verified"
        )
    return 0 if fine else 1


def verified(folder: Path, count: int, key: int, expected: str | None) -> bool:
    """Verify one sweep, and say what is found.

    Args:
        folder: that of the sweep.
        count: how many trainings to compute again, at most.
        key: of the random sample.
        expected: the label of the recipe that the folder should hold; None if it has none.

    Returns:
        Whether all of it is fine.
    """
    from approx.disk import verification

    try:
        found = verification.verify(folder, count, key)
        sweep = description.read_sweep(folder)
    except ValueError as error:
        print(f"{folder}: 1 damaged file\n  {error}\n  NOT verified")
        return False
    print(f"{folder}: {plural(len(found.damaged), 'damaged file')}")
    for sentence in found.damaged:
        print(f"  {sentence}")
    if sweep["format"] < 2:
        print(
            "  sweep.json and coordinates.nc are of an earlier version, without a checksum; "
            "the same command adds it"
        )
    label = sweep.get("label")
    moved = expected is not None and label not in (None, expected)
    if moved:
        print(f"  it holds the trainings of the recipe {label!r}: call the folder {label!r} again")
    if found.missing:
        print(
            f"  {plural(found.missing, 'training')} missing: the same command again computes them"
        )
    same = f"{found.sampled - found.differing:,} of {plural(found.sampled, 'training')}"
    if found.elsewhere:
        print(f"  {same} came out bit for bit")
        print(f"  bits may differ here: {found.elsewhere}")
        apart = f"losses up to step 10 differ by at most {found.parted:.2g}"
        print(f"  {apart}; final losses alike: p = {found.pvalue:.2g}")
    else:
        print(f"  {same} came out bit for bit, as they must here")
    fine = found.fine and not moved
    print("  verified" if fine else "  NOT verified")
    return fine


def cache(clear: bool = False) -> int:
    """Say where compiled programs are kept between processes, how many there are, and how large.

    The environment variable APPROX_CACHE names another folder, or is `off`; APPROX_CACHE_GB is the
    size that the folder may have, 1 unless it is given.

    Args:
        clear: remove the programs.
    """
    folder = program_files.folder()
    if folder is None:
        print("compiled programs are not kept: APPROX_CACHE is off")
        return 0
    entries = program_files.entries(folder)
    size = sum(entry.size for entry in entries) / 1e6
    allowed = program_files.limit() / 1e9
    count = plural(len(program_files.programs_of(entries)), "program")
    print(f"{folder}: {count}, {size:,.1f} MB of at most {allowed:g} GB")
    if entries:
        oldest = min(entry.used for entry in entries)
        print(f"  the oldest was last used {duration(time.time() - oldest)} ago")
    if clear:
        print(f"  {plural(program_files.clear(folder), 'program')} removed")
    return 0


def main() -> None:
    """Read the command line, and do what it says."""
    commands: dict[str, Any] = {
        "ask": ask,
        "status": status,
        "verify": verify,
        "cache": cache,
    }
    try:
        sys.exit(tyro.extras.subcommand_cli_from_dict(commands, prog="approx"))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"approx: {error}")


if __name__ == "__main__":
    main()
