"""How long one waits for an answer that is not yet compiled: `approx` against plain JAX.

Question: seconds from the start of a process to the median loss of 512 networks of ten tanh units
after 1,000 steps; seconds to the same for another width in the process that is running; and the
seconds of a call whose program is compiled, of 64 seeds and ten steps. Each with the memory for
compiled programs empty, and with one that a process before has filled.
Source: a user waits for the compiler, not for the training, which takes 0.015 s here.
Expected finding: no longer than what people write by hand, `jit(vmap(train))`.
Cost: two minutes. Output: a table, and experiments/summaries/waiting.{json,md}.

Processes are timed as a whole and take turns, so that a ratio holds when the machine's clock does
not; a ratio is taken repeat by repeat, and its smallest and largest value are given. `--against
FOLDER` adds another checkout of approx, such as the one before a change.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tyro

HERE = Path(__file__).parent
SUMMARY = HERE / "summaries" / "waiting.json"
QUESTIONS = {
    "process": "cold process to the answer",
    "new": "a new program in a warm process",
    "again": "the same program again, 64 seeds",
}


def asked(script: str, width: int, memory: Path, checkout: Path) -> dict[str, float]:
    """Seconds of one process, and of each of its questions.

    Args:
        script: of benchmark/waiting.
        width: of its first network.
        memory: the folder in which compiled programs are kept.
        checkout: the approx that is imported.

    """
    own = {"PYTHONPATH": str(checkout), "XDG_CACHE_HOME": str(memory)}
    if script == "with_jax.py":
        own |= {"JAX_COMPILATION_CACHE_DIR": str(memory / "jax")}
        own |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    command = [sys.executable, str(HERE / "benchmark" / "waiting" / script), str(width)]
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environment | own, capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - began
    found = json.loads(done.stdout)
    warm = found["new"] + 12 * found["again"]
    return {"process": whole - warm, "new": found["new"], "again": found["again"]}


def measure(repeats: int, against: Path | None) -> list[dict]:
    """Every process in turn, with an empty memory and then with the one that it has filled."""
    sides = {"approx": ("with_approx.py", HERE.parent), "plain JAX": ("with_jax.py", HERE.parent)}
    if against is not None:
        sides["approx before"] = ("with_approx.py", against)
    found = []
    for repeat in range(repeats):
        for name, (script, checkout) in sides.items():
            with tempfile.TemporaryDirectory() as memory:
                for state in ("empty", "filled"):
                    seconds = asked(script, 10, Path(memory), checkout)
                    found.append({"side": name, "memory": state, "repeat": repeat} | seconds)
        print(f"{repeat + 1} of {repeats}", file=sys.stderr, flush=True)
    return found


def seconds_of(found: list[dict], side: str, memory: str, question: str) -> list[float]:
    """One number for each repeat."""
    return [row[question] for row in found if row["side"] == side and row["memory"] == memory]


def table(found: list[dict]) -> str:
    """Markdown: the seconds of approx, and its ratios to every other side."""
    others = [side for side in dict.fromkeys(row["side"] for row in found) if side != "approx"]
    heads = ["", "memory", "approx, seconds", *(f"against {other}" for other in others)]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for question, about in QUESTIONS.items():
        for memory in ("empty", "filled"):
            own = seconds_of(found, "approx", memory, question)
            cells = [about, memory, f"{statistics.median(own):.3g}"]
            for other in others:
                theirs = seconds_of(found, other, memory, question)
                ratios = sorted(a / b for a, b in zip(own, theirs, strict=True))
                middle = statistics.median(ratios)
                cells.append(f"{middle:.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(repeats: int = 5, against: Path | None = None, quick: bool = False) -> None:
    """Measure, print the table and write the summary.

    Args:
        repeats: of every process.
        against: another checkout of approx, as a further side.
        quick: one repeat, and nothing is written.

    """
    found = measure(1 if quick else repeats, against)
    text = table(found)
    print(text)
    if not quick:
        SUMMARY.write_text(json.dumps(found, indent=1) + "\n")
        SUMMARY.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    tyro.cli(main)
