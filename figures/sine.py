"""The figure of the sine: what each network makes of it outside, how far off it is, and whether only the phase is.

Reads results/sine_{NETWORK}.nc, which experiments/sine.py writes, and draws figures/sine.pdf and .png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent
NAMES = {"tanh": "tanh", "relu": "relu", "snake": "snake", "siren": "sin"}  # 32-32 units each


def main(results: Path = FOLDER.parent / "results", figures: Path = FOLDER) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/sine.py wrote to.
        figures: the folder to draw into.
    """
    runs = {name: ap.load(results / f"sine_{label}.nc").sel(noise=0.0) for label, name in NAMES.items()}
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.0, 5.2), layout="constrained")
    ap.plot.fan(runs["snake"], a, r"$\bf{a}$  Snake: periodic, but it fades")
    a.set_ylim(-3, 3)
    far = {name: ap.stats.error_by_distance(one) for name, one in runs.items()}
    ap.plot.extrapolation(far, b, r"$\bf{b}$  No network holds one more period")
    classes = xr.concat([ap.stats.asymptote(r).sel(side="right", drop=True) for r in runs.values()], "network",
                        coords="minimal", compat="override", combine_attrs="override")  # fmt: skip
    shares = ap.stats.shares(classes.assign_coords(network=list(runs)))
    ap.plot.shares(shares, c, r"$\bf{c}$  What the networks become at +6π")
    tolerant = [ap.stats.phase_tolerant_error(r, np.pi, 0.1, target=np.sin, where="outside") for r in runs.values()]
    joined = xr.concat(tolerant, "network", coords="minimal", compat="override", combine_attrs="override")
    joined = joined.assign_coords(network=list(runs))
    errors = joined[["error"]]
    profile = ap.stats.profile(errors, of="error", thresholds=np.geomspace(1e-2, 100, 200))
    ap.plot.threshold_profile(profile, d, r"$\bf{d}$  Forgiving the phase helps little")
    d.set_xlabel("MSE outside, phase forgiven ≤")
    print(*ap.plot.save(figure, figures, "sine"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
