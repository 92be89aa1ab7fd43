"""What came out: ratios, shares, and the table."""

import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from experiments.benchmark.cases import CASES
from experiments.benchmark.timing import CORES


def find(measures: list[dict], case: str, form: str, threads: int | None = None) -> dict | None:
    """One measurement; None if there is none that ended with a number.

    Args:
        measures: all of them.
        case: of which case.
        form: of which form.
        threads: with so many threads; if left out, with those that were the fastest.
    """
    found = [m for m in measures if m["case"] == case and m["form"] == form]
    if threads is not None:
        found = [m for m in found if m["threads"] == threads]
    found = [m for m in found if not np.isnan(m["ns"]).any()]
    return min(found, key=lambda m: statistics.median(m["ns"]), default=None)


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(a: dict | None, b: dict | None) -> dict[str, float] | None:
    """The ratio of two measurements, repeat by repeat; None if one is not there."""
    if a is None or b is None:
        return None
    return spread([x / y for x, y in zip(a["ns"], b["ns"], strict=True)])


PEERS = ("naive", "torch compiled", "torch vmap", "torch loop", "scikit-learn")


def summarise(measures: list[dict], chosen: list[str]) -> dict[str, Any]:
    """Per case: what a user gets against the limit and the peers, and what takes the time."""
    out = {}
    for name in chosen:
        case = CASES[name]
        form = case.forms[0]
        run = find(measures, name, f"run {form}", CORES)
        step = find(measures, name, f"step {form}", CORES)
        bound = find(measures, name, "limit", CORES)
        out[name] = {
            "about": case.about,
            "seeds": case.seeds,
            "form": form,
            "against limit": {"run": ratio(run, bound), "step": ratio(step, bound)},
            "faster than": {peer: ratio(find(measures, name, peer), run) for peer in PEERS},
            "shares": shares(measures, name, run, step),
        }
    return out


def seconds_of(measure: dict, seeds: int, steps: int) -> float:
    """The median seconds of a measurement, for so many seeds and steps."""
    return statistics.median(measure["ns"]) * seeds * steps / 1e9


def shares_of_run(run: dict, step: dict, fixed: dict) -> dict[str, float]:
    """How the time of `ap.run` is shared between training, recording and the host.

    Args:
        run: the measurement of `ap.run`.
        step: that of its inner step.
        fixed: that of a call with nothing to compute.
    """
    whole = seconds_of(run, run["seeds"], run["steps"])
    train = seconds_of(step, run["seeds"], run["steps"])
    call = seconds_of(fixed, fixed["seeds"], fixed["steps"])
    recording = whole - call - train
    records = min(50, run["steps"] + 1)
    return {
        "run_seconds": whole,
        "host_seconds": call,
        "recording_and_host": 1 - train / whole,
        "recording": recording / whole,
        "host": call / whole,
        "steps_per_record": recording / train * run["steps"] / records,
    }


def saved_by(drawn: dict | None, fixed: dict | None) -> dict[str, float] | None:
    """The share of a step that a fixed batch saves, repeat by repeat; None if one is not there."""
    if not drawn or not fixed:
        return None
    return spread([1 - y / x for x, y in zip(drawn["ns"], fixed["ns"], strict=True)])


def shares(measures: list[dict], name: str, run: dict | None, step: dict | None) -> dict[str, Any]:
    """What takes the time of one case.

    How much of `ap.run` is not its inner step; and how much of a step is drawing or shuffling rows,
    here and in the C limit; and how a step of shuffled epochs compares with that of the C limit.
    """
    form = CASES[name].forms[0]
    found: dict[str, Any] = {}
    fixed = find(measures, name, f"host {form}")
    if run and step and fixed:
        found |= shares_of_run(run, step, fixed)

    here = find(measures, f"{name} fix", f"step {form}", CORES)
    limit = find(measures, f"{name} fix", "limit", CORES)
    saved = {
        "drawing": saved_by(find(measures, name, f"step {form}", CORES), here),
        "limit_drawing": saved_by(find(measures, name, "limit", CORES), limit),
        "shuffling": saved_by(find(measures, f"{name} epoch", f"step {form}", CORES), here),
    }
    epochs = f"{name} epoch"
    saved["epoch_against_limit"] = ratio(
        find(measures, epochs, f"step {form}", CORES), find(measures, epochs, "limit", CORES)
    )
    return found | {key: value for key, value in saved.items() if value}


def number(value: float) -> str:
    """Three digits for people."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def with_spread(values: dict[str, float] | None, percent: bool = False) -> str:
    """`median (smallest to largest)`."""
    if values is None:
        return "-"
    show: Callable[[float], str] = number
    if percent:
        show = "{:.0%}".format
    return f"{show(values['median'])} ({show(values['low'])} to {show(values['high'])})"


HEAD_OF_RATIOS = [
    "| case | against the limit: run | step | faster than naive | than compiled torch "
    "| than torch vmap | than a torch loop | than scikit-learn |",
    "|---|---|---|---|---|---|---|---|",
]
HEAD_OF_SHARES = [
    "",
    "| case | one run, s | of it host | recording | both | a record, in steps | drawing "
    "| of the limit | shuffling | an epoch's step against the limit |",
    "|---|---|---|---|---|---|---|---|---|---|",
]
HEAD_OF_MEASURES = [
    "",
    "| case | form | threads | seeds | steps | ns | first call, s more | MB at work |",
    "|---|---|---|---|---|---|---|---|",
]


def row_of(cells: Iterable[Any]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(map(str, cells))} |"


def ratios_row(name: str, entry: dict[str, Any]) -> str:
    """A case against the limit and the peers."""
    ratios = [*entry["against limit"].values(), *entry["faster than"].values()]
    return row_of([f"{name}: {entry['about']}, {entry['seeds']} seeds", *map(with_spread, ratios)])


def shares_row(name: str, found: dict[str, Any]) -> str:
    """What takes the time of a case."""
    cells = [
        name,
        number(found["run_seconds"]),
        f"{found['host_seconds']:.2f} s, {found['host']:.0%}",
        f"{found['recording']:.0%}",
        f"{found['recording_and_host']:.0%}",
        number(found["steps_per_record"]),
    ]
    for key in ("drawing", "limit_drawing", "shuffling"):
        cells.append(with_spread(found.get(key), percent=True))
    cells.append(with_spread(found.get("epoch_against_limit")))
    return row_of(cells)


def measure_row(measure: dict[str, Any]) -> str:
    """One measurement."""
    compiling = work = "-"
    if measure["form"] not in ("limit", "scikit-learn"):
        compiling = f"{max(measure['compile_seconds'], 0):.2f}"
    if measure["bytes"] is not None:
        work = number(measure["bytes"] / 1e6)

    cells = [
        measure["case"],
        measure["form"],
        measure["threads"],
        f"{measure['seeds']:,}",
        f"{measure['steps']:,}",
        with_spread(spread(measure["ns"])),
        compiling,
        work,
    ]
    return row_of(cells)


def table(result: dict[str, Any]) -> str:
    """Everything as Markdown."""
    machine = f"{result['processor']}, {result['cores']} cores, jax {result['versions']['jax']}"
    lines = [
        f"# Speed: {machine}",
        "",
        "Nanoseconds per seed and training step, median (smallest to largest) of "
        f"{result['repeats']} interleaved repeats; compilation excluded. "
        "`run` is `ap.run` with default records, "
        "`step` its inner step, `host` a call with nothing to compute.",
        "",
    ]
    lines += [f"*{note}*\n" for note in result["notes"]]
    lines += HEAD_OF_RATIOS
    for name, entry in result["summary"].items():
        lines.append(ratios_row(name, entry))

    lines += HEAD_OF_SHARES
    for name, entry in result["summary"].items():
        if "run_seconds" in entry["shares"]:
            lines.append(shares_row(name, entry["shares"]))

    lines += HEAD_OF_MEASURES
    lines += [measure_row(measure) for measure in result["measures"]]
    return "\n".join(lines) + "\n"


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers of four digits, and None for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inside) for inside in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.4g}")
