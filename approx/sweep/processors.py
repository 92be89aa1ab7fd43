"""The processor, on which the bits of a result depend."""

import platform
from functools import lru_cache
from pathlib import Path

VECTORS = ("avx512f", "avx2", "avx", "sse4_2")  # flags of /proc/cpuinfo, the widest first


@lru_cache
def processor() -> str:
    """The CPU's model and its widest vectors.

    XLA compiles for these two, and calls every CPU `cpu`.
    """
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}".strip()
    entries = {}
    for line in info.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            entries[name.strip()] = value.strip()
    flags = entries.get("flags", "").split()
    vectors = next((name for name in VECTORS if name in flags), "")
    model = entries.get("model name") or platform.machine()
    numbered = f"family {entries.get('cpu family', '?')} model {entries.get('model', '?')}"
    return f"{model} {numbered} {vectors}".strip()
