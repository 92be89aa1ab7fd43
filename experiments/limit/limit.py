"""The hand-written speed limit: build and run limit.c, a trainer in vector code, and peak.c.

limit.c trains one seed per lane of a vector (16 lanes with AVX-512, 8 with AVX2), the whole
training loop per block of seeds, one block at a time per thread. It is one good implementation, not
a proven bound. Cases: p1 = 1-10-1 tanh, 21 points, SGD, full batch. p2 = 1-8-8-1 relu with L2,
Adam, 256 of 8,000 points drawn per step. p3 = 1-2-1 sigmoid, cross-entropy, Adam, 32 of 300 points.
p6 = 2-16-1 relu, Adam, 32 of 1,000 points. p2, p3 and p6 have variants: "p2fix" takes contiguous
batches and draws nothing; "p2epoch" takes batches without replacement, from a new permutation in
every epoch. Its tanh has an error of 4.5e-7. peak.c gives the machine's GFLOP/s of fused
multiply-adds, the roof for dense layers.

Flags: `gcc -O3 -march=native -pthread`, for limit.c also `-ffast-math` (its sums may be reordered).
Needs gcc and a processor with AVX-512, or with AVX2 and FMA; `missing()` says what is not there.
Measure it in the same run as whatever is compared with it: absolute times do not carry from one
machine to the next.
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
    described = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not described.exists():
        return "only /proc/cpuinfo of an x86-64 processor says which vectors there are"
    words = set(described.read_text().split())
    if "avx512f" not in words and not {"avx2", "fma"} <= words:
        return "the processor has neither AVX-512 nor AVX2 with FMA"
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
