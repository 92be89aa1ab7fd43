"""The hand-written speed limit: build and run limit.c, a trainer in AVX-512, and peak.c.

limit.c trains 16 seeds per AVX-512 vector, the whole training loop per block of 16 seeds, one block
at a time per thread. It is one good implementation, not a proven bound. Cases: p1 = 1-10-1 tanh, 21
points, SGD, full batch. p2 = 1-8-8-1 relu with L2, Adam, 256 of 8,000 points drawn per step (p2fix:
contiguous batches, no draws). p3 = 1-2-1 sigmoid, cross-entropy, Adam, 32 of 300 points (p3fix:
contiguous). Its tanh has an error of 4.5e-7. peak.c gives the machine's GFLOP/s of fused
multiply-adds, the roof for dense layers.

Flags: `gcc -O3 -march=native -pthread`, for limit.c also `-ffast-math` (its sums may be reordered).
Needs gcc and a processor with AVX-512; `missing()` says what is not there. Measure it in the same
run as whatever is compared with it: absolute times do not carry from one machine to the next.
"""

import json
import platform
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = {
    "limit": ("-O3", "-march=native", "-ffast-math", "-pthread"),
    "peak": ("-O3", "-march=native", "-pthread"),
}


def missing() -> str | None:
    """What keeps the limit from being measured here, or None."""
    if shutil.which("gcc") is None:
        return "there is no gcc"
    flags = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not flags.exists() or " avx512f " not in flags.read_text():
        return "the processor has no AVX-512 (or does not say so in /proc/cpuinfo)"
    return None


def build(folder: Path) -> dict[str, Path]:
    """Compile both programs into a folder: {"limit": ..., "peak": ...}."""
    for name, flags in FLAGS.items():
        command = ["gcc", *flags, str(HERE / f"{name}.c"), "-o", str(folder / name), "-lm"]
        subprocess.run(command, check=True, capture_output=True, text=True)
    return {name: folder / name for name in FLAGS}


def call(program: Path, *arguments: str | int) -> dict:
    """Run a built program once: what it printed, as a dictionary."""
    command = [str(program), *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
