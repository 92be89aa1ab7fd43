"""The command line: `python -m approx status FOLDER`, `python -m approx verify FOLDER`; `--help` says more."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tyro
import xarray as xr
from tyro.conf import Positional

from approx import chunks
from approx.progress import duration, plural


def status(folder: Positional[Path]) -> int:
    """How far a sweep is, whether anyone is at it, and how it goes.

    Args:
        folder: that `run(out=...)` writes to; of several recipes, all of them.
    """
    inner = (
        [folder] if (folder / "sweep.json").exists() else sorted(path.parent for path in folder.glob("*/sweep.json"))
    )
    if not inner:
        chunks.read_sweep(folder)  # says what is missing
    for each in inner:
        print("\n".join(described(each)))
    return 0


def described(folder: Path) -> list[str]:
    """A sweep in a few lines."""
    sweep = chunks.read_sweep(folder)
    axes = {axis: chunks.unpack(packed) for axis, packed in sweep["axes"].items()}
    asked = int(np.prod([len(values) for values in axes.values()]))
    done, diverged, damaged = 0, 0, []
    for path in chunks.paths(folder):
        try:
            with xr.open_dataset(path, engine="h5netcdf") as opened:
                done += opened.sizes["training"]
                diverged += int(opened.attrs["diverged"])
        except Exception:
            damaged.append(path.name)
    at_it = chunks.is_locked(folder)
    lines = [f"{folder}: {done:,} of {plural(asked, 'training')} finished ({done / asked:.1%}), {diverged:,} diverged"]
    lines.append("  axes: " + " x ".join(f"{axis} {len(values):,}" for axis, values in axes.items()))
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
    except (OSError, ValueError):
        return ["running, it has not said yet how far it is"]
    spent, share = found["now"] - found["began"], found["share"]
    left = duration(spent * (1 - share) / share) if share else "unknown"
    rate = f"{share * found['missing'] / max(spent, 1e-9):,.3g} trainings per second"
    ago = duration(max(time.time() - found["now"], 0))
    return [
        f"running for {duration(spent)}: {rate}, {left} left (said {ago} ago)",
        f"command: {' '.join(found['command'])}",
    ]


def verify(folder: Positional[Path], count: int = 256, key: int = 0) -> int:
    """Check every file of a sweep, and compute a random sample of its trainings again, from the folder alone.

    Args:
        folder: that `run(out=...)` wrote to; of several recipes, all of them.
        count: how many trainings, at most.
        key: of the sample.
    """
    from approx.verification import verify as check

    inner = (
        [folder] if (folder / "sweep.json").exists() else sorted(path.parent for path in folder.glob("*/sweep.json"))
    )
    fine = True
    for each in inner or [folder]:
        found = check(each, count, key)
        fine &= found.fine
        print(f"{each}: {plural(len(found.damaged), 'damaged file')}")
        print(*(f"  {sentence}" for sentence in found.damaged), sep="\n", end="\n" if found.damaged else "")
        same = f"  {found.sampled - found.differing:,} of {plural(found.sampled, 'training')} came out bit for bit"
        print(f"{same}, as they must here" if not found.elsewhere else same)
        if found.elsewhere:
            print(f"  bits may differ here: {found.elsewhere}")
            apart = f"  losses up to step 10 differ by at most {found.parted:.2g}"
            print(f"{apart}; final losses alike: p = {found.pvalue:.2g}")
        print("  verified" if found.fine else "  NOT verified")
    return 0 if fine else 1


def main() -> None:
    """The command line."""
    try:
        sys.exit(tyro.extras.subcommand_cli_from_dict({"status": status, "verify": verify}, prog="approx"))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"approx: {error}")


if __name__ == "__main__":
    main()
