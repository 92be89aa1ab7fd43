"""The command line: `python -m approx status FOLDER`, `python -m approx verify FOLDER`; `--help`
says more.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tyro
from tyro.conf import Positional

from approx.disk import chunks, folders
from approx.sweep.progress import duration, plural


def status(folder: Positional[Path]) -> int:
    """How far a sweep is, whether anyone is at it, and how it goes.

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
        folders.read_sweep(folder)  # says what is missing
        return [folder]
    return inner


def missing_recipes(folder: Path, inner: list[Path]) -> list[str]:
    """Labels of the recipes that a folder of several should have and has not."""
    there = [each.name for each in inner]
    wanted = [str(label) for label in folders.read_labels(folder)]
    return [label for label in wanted if label not in there]


def described(folder: Path) -> list[str]:
    """A sweep in a few lines."""
    sweep = folders.read_sweep(folder)
    axes = folders.axes_of(sweep)
    asked = int(np.prod([len(values) for values in axes.values()]))
    done, diverged, damaged = 0, 0, []
    for path in chunks.paths(folder):
        try:
            index = chunks.read_index(path, sweep["sources"])
            done += index.sizes["training"]
            diverged += int(index.attrs["diverged"])
        except ValueError:
            damaged.append(path.name)
    at_it = folders.is_locked(folder)
    lines = [
        f"{folder}: {done:,} of {plural(asked, 'training')} finished ({done / asked:.1%}), {diverged:,} diverged"
    ]
    lines.append(
        "  axes: " + " x ".join(f"{axis} {len(values):,}" for axis, values in axes.items())
    )
    if damaged:
        lines.append(f"  damaged: {', '.join(damaged)}; `verify` says more")
    if at_it:
        lines += ["  " + line for line in going(folder)]
    elif done < asked:
        lines.append("  nobody is at it; the same command goes on")
    return lines


def going(folder: Path) -> list[str]:
    """Of a run that is at it: who, how fast, and for how long still."""
    try:
        found = json.loads((folder / "progress.json").read_text())
        spent, share = found["now"] - found["began"], found["share"]
        left = duration(spent * (1 - share) / share) if share else "unknown"
        rate = f"{share * found['missing'] / max(spent, 1e-9):,.3g} trainings per second"
        ago = duration(max(time.time() - found["now"], 0))
    except (OSError, ValueError, KeyError, TypeError):
        return ["running, it has not said yet how far it is"]
    return [
        f"running for {duration(spent)}: {rate}, {left} left (said {ago} ago)",
        f"command: {' '.join(found['command'])}",
    ]


def verify(folder: Positional[Path], count: int = 256, key: int = 0) -> int:
    """Check every file of a sweep, and compute a random sample of its trainings again, from the
    folder alone.

    Args:
        folder: that `run(out=...)` wrote to; of several recipes, all of them.
        count: how many trainings, at most.
        key: of the sample.
    """
    inner = sweeps(folder)
    fine = True
    for each in inner:
        fine &= verified(each, count, key, expected=None if each == folder else each.name)
    for label in missing_recipes(folder, inner):
        fine = False
        print(
            f"{folder / label}: missing, though {folder / 'recipes.json'} names it\n  NOT verified"
        )
    return 0 if fine else 1


def verified(folder: Path, count: int, key: int, expected: str | None) -> bool:
    """Say what is found in one sweep, which should be that of the expected recipe; whether all of
    it is fine.
    """
    from approx.disk.verification import verify as check

    try:
        found = check(folder, count, key)
        sweep = folders.read_sweep(folder)
    except ValueError as error:
        print(f"{folder}: 1 damaged file\n  {error}\n  NOT verified")
        return False
    print(f"{folder}: {plural(len(found.damaged), 'damaged file')}")
    print(
        *(f"  {sentence}" for sentence in found.damaged),
        sep="\n",
        end="\n" if found.damaged else "",
    )
    if sweep["format"] < 2:
        print(
            "  sweep.json and coordinates.nc are of an earlier version, without a checksum; the same command adds it"
        )
    label = sweep.get("label")
    moved = expected is not None and label not in (None, expected)
    if moved:
        print(f"  it holds the trainings of the recipe {label!r}: call the folder {label!r} again")
    if found.missing:
        print(
            f"  {plural(found.missing, 'training')} missing: the same command again computes them"
        )
    same = f"  {found.sampled - found.differing:,} of {plural(found.sampled, 'training')} came out bit for bit"
    print(f"{same}, as they must here" if not found.elsewhere else same)
    if found.elsewhere:
        print(f"  bits may differ here: {found.elsewhere}")
        apart = f"  losses up to step 10 differ by at most {found.parted:.2g}"
        print(f"{apart}; final losses alike: p = {found.pvalue:.2g}")
    fine = found.fine and not moved
    print("  verified" if fine else "  NOT verified")
    return fine


def main() -> None:
    """The command line."""
    try:
        sys.exit(
            tyro.extras.subcommand_cli_from_dict(
                {"status": status, "verify": verify}, prog="approx"
            )
        )
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"approx: {error}")


if __name__ == "__main__":
    main()
