"""What came out: ratios, shares, and the table."""

import math
import statistics
from typing import Any

import numpy as np

from experiments.benchmark.cases import CASES
from experiments.benchmark.timing import CORES


def find(measures: list[dict], case: str, form: str, threads: int | None = None) -> dict | None:
    """That measurement, with the threads asked for, or with those that were faster; None if there
    is none.
    """
    found = [
        m
        for m in measures
        if m["case"] == case and m["form"] == form and threads in (None, m["threads"])
    ]
    found = [m for m in found if not np.isnan(m["ns"]).any()]
    return min(found, key=lambda m: statistics.median(m["ns"]), default=None)


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(a: dict | None, b: dict | None) -> dict[str, float] | None:
    """Of two measurements, repeat by repeat."""
    return (
        None
        if a is None or b is None
        else spread([x / y for x, y in zip(a["ns"], b["ns"], strict=True)])
    )


def summarise(measures: list[dict], chosen: list[str]) -> dict[str, Any]:
    """Per case: what a user gets against the limit and the peers, and where the rest of the time
    goes.
    """
    out = {}
    for name in chosen:
        case = CASES[name]
        form = case.forms[0]
        run, step = (
            find(measures, name, f"run {form}", CORES),
            find(measures, name, f"step {form}", CORES),
        )
        bound = find(measures, name, "limit", CORES)
        entry: dict[str, Any] = {"about": case.about, "seeds": case.seeds, "form": form}
        entry["against limit"] = {"run": ratio(run, bound), "step": ratio(step, bound)}
        peers = ("naive", "torch compiled", "torch vmap", "torch loop", "scikit-learn")
        entry["faster than"] = {peer: ratio(find(measures, name, peer), run) for peer in peers}
        entry["shares"] = shares(measures, name, run, step)
        out[name] = entry
    return out


def shares(measures: list[dict], name: str, run: dict | None, step: dict | None) -> dict[str, Any]:
    """Of `ap.run` that is not its inner step; and of the step that is drawing rows, here and in the
    C limit.
    """
    form = CASES[name].forms[0]
    found: dict[str, Any] = {}
    fixed = find(measures, name, f"host {form}")
    if run and step and fixed:
        call = statistics.median(fixed["ns"]) * fixed["seeds"] * fixed["steps"] / 1e9  # seconds
        whole = statistics.median(run["ns"]) * run["seeds"] * run["steps"] / 1e9
        train = statistics.median(step["ns"]) * run["seeds"] * run["steps"] / 1e9
        found |= {
            "run_seconds": whole,
            "host_seconds": call,
            "recording_and_host": 1 - train / whole,
        }
        found |= {"recording": (whole - call - train) / whole, "host": call / whole}
        found["steps_per_record"] = (
            (whole - call - train) / train * run["steps"] / min(50, run["steps"] + 1)
        )
    for key, drawn, fix in (
        ("drawing", f"step {form}", f"step {form}"),
        ("limit_drawing", "limit", "limit"),
    ):
        a, b = find(measures, name, drawn, CORES), find(measures, f"{name} fix", fix, CORES)
        if a and b:
            found[key] = spread([1 - y / x for x, y in zip(a["ns"], b["ns"], strict=True)])
    a, b = (
        find(measures, f"{name} epoch", f"step {form}", CORES),
        find(measures, f"{name} fix", f"step {form}", CORES),
    )
    if a and b:
        found["shuffling"] = spread([1 - y / x for x, y in zip(a["ns"], b["ns"], strict=True)])
    return found


def number(value: float) -> str:
    """Three digits for people."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def with_spread(values: dict[str, float] | None, percent: bool = False) -> str:
    """`median (smallest to largest)`."""
    if values is None:
        return "-"
    show = (lambda v: f"{v:.0%}") if percent else number
    return f"{show(values['median'])} ({show(values['low'])} to {show(values['high'])})"


def table(result: dict[str, Any]) -> str:
    """Everything as Markdown."""
    lines = [
        f"# Speed: {result['processor']}, {result['cores']} cores, jax {result['versions']['jax']}",
        "",
    ]
    lines += ["Nanoseconds per seed and training step, median (smallest to largest) of "
              f"{result['repeats']} interleaved repeats; compilation excluded. `run` is `ap.run` with default records, "
              "`step` its inner step, `host` a call with nothing to compute.", ""]  # fmt: skip
    lines += [f"*{note}*\n" for note in result["notes"]]
    lines += ["| case | against the limit: run | step | faster than naive | than compiled torch | than torch vmap "
              "| than a torch loop | than scikit-learn |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, entry in result["summary"].items():
        cells = [*entry["against limit"].values(), *entry["faster than"].values()]
        lines.append(
            f"| {name}: {entry['about']}, {entry['seeds']} seeds | {' | '.join(map(with_spread, cells))} |"
        )
    lines += ["", "| case | one run, s | of it host | recording | both | a record, in steps | drawing | of the limit "
              "| shuffling |", "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, entry in result["summary"].items():
        s = entry["shares"]
        if "run_seconds" not in s:
            continue
        cells = [number(s["run_seconds"]), f"{s['host_seconds']:.2f} s, {s['host']:.0%}", f"{s['recording']:.0%}",
                 f"{s['recording_and_host']:.0%}", number(s["steps_per_record"])]  # fmt: skip
        cells += [
            with_spread(s.get(key), percent=True)
            for key in ("drawing", "limit_drawing", "shuffling")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| case | form | threads | seeds | steps | ns | first call, s more | MB at work |",
              "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for m in result["measures"]:
        compiling = (
            "-" if m["form"] in ("limit", "scikit-learn") else f"{max(m['compile_seconds'], 0):.2f}"
        )
        work = "-" if m["bytes"] is None else number(m["bytes"] / 1e6)
        cells = [
            m["case"],
            m["form"],
            m["threads"],
            f"{m['seeds']:,}",
            f"{m['steps']:,}",
            with_spread(spread(m["ns"])),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} | {compiling} | {work} |")
    return "\n".join(lines) + "\n"


def plain(value: Any) -> Any:
    """As JSON can hold it: four digits, and None for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inside) for inside in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value
