"""The map of any saved result over two swept numbers, such as a window of an experiment.

Reads one file and draws PDF and PNG beside it: the share of seeds in success, the width of its
interval, the steps to success and the cost of one. Over more than two numbers, a row of shares for
each value of a third (`--col`).
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr

import approx as ap


def four(rates: xr.Dataset, hits: xr.Dataset) -> plt.Figure:
    """Share of seeds, how sure it is, steps and cost."""
    figure, ((a, b), (c, d)) = plt.subplots(
        2,
        2,
        figsize=(7.0, 5.2),
    )
    ap.plot.landscape(
        rates,
        a,
        ap.plot.lettered("a", "Share of seeds in success"),
    )
    ap.plot.field(
        rates.assign(width=100 * (rates.high - rates.low)),
        "width",
        b,
        ap.plot.lettered("b", "How sure it is"),
        "width of its interval (points)",
        log=False,
    )
    times = ap.stats.time_quantiles(hits, q=0.5).isel(quantile=0)
    ap.plot.field(
        times,
        "time",
        c,
        ap.plot.lettered("c", "Until half have it"),
        "steps",
    )
    costs = ap.stats.ert(hits)
    ap.plot.field(
        costs,
        "ert",
        d,
        ap.plot.lettered("d", "Cost of a success"),
        "expected steps",
    )
    ap.plot.map_key((a, b, c, d))
    return figure


def main(
    result: Path,
    /,
    below: float | None = None,
    above: float | None = None,
    of: str = "test_loss",
    col: str | None = None,
    figures: Path | None = None,
) -> None:
    """Draw the map.

    Args:
        result: the file, such as results/map_square_tanh_zoom.nc.
        below: largest value that counts as success.
        above: smallest value that counts as success, instead.
        of: the variable judged.
        col: a third swept number, whose values get a panel each.
        figures: the folder to draw into; that of the result if left out.
    """
    hits = ap.stats.success(
        ap.load(result),
        below,
        above,
        of,
    )
    rates = ap.stats.rate(hits)
    swept = [str(dim) for dim in rates.rate.dims if dim != col]
    if len(swept) != 2:
        names = ", ".join(swept) or "none"
        raise SystemExit(
            f"{result} has {len(swept)} swept numbers ({names}): a map takes two, "
            "and a third as --col"
        )
    plt.style.use(ap.plot.STYLE)
    if col is None:
        figure = four(rates, hits)
    else:
        figure = ap.plot.facets(rates, col=col).flat[0].figure
    print(*ap.plot.save(figure, figures or result.parent, result.stem), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
