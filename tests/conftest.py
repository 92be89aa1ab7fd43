"""Shared set-up: shapes are checked by jaxtyping and beartype, in tests only, and compilations can
be counted.
"""

import gc
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

# Several workers share the cores: no linear algebra on all of them in each
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Tests leave the developer's own folder of programs alone
os.environ["APPROX_CACHE"] = "off"

import jaxtyping

# Where shapes are; what users call first, recipes and runs, has errors of its own that must not be
# forestalled.
CHECKED = (
    "numerics",
    "tasks",
    "models",
    "training.rules",
    "training.second_order",
    "training.inverse_hessians",
    "training.quasi_newton",
    "training.keras",
    "training.optimizers",
    "training.sampling",
    "training.inputs",
    "training.evaluation",
    "training.steps",
    "training.records",
    "training.loop",
    "sweep.blocks",
    "sweep.results",
)
hook = jaxtyping.install_import_hook([f"approx.{name}" for name in CHECKED], "beartype.beartype")
hook.__enter__()  # for the whole session

import jax  # noqa: E402
import matplotlib as mpl  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402

import approx as ap  # noqa: E402

mpl.use("Agg")
gc.freeze()  # what has been imported stays; and programs, which are most of what there is, stay too
gc.set_threshold(20_000, 20, 50)

# Unoptimised programs compile in half the time. Promises of bits, of distributions, of recorded
# numbers through `run` and of README's code are tested on programs as users have them, and in slow
# tests those of lanes and of scripts; these are for tests of what a program says, whatever its
# code.
QUICK = ap.sweep.programs.accepted(
    {"xla_backend_optimization_level": 0, "xla_cpu_experimental_ynn_fusion_type": ""}
)


# Seven tenths of the tests' time is compilation. In this folder JAX keeps the programs that take
# longer than 0.05 s to compile, so that the next run need not compile them again. JAX finds a
# program by its whole text, the compiler's options and its own version. Each kind of processor has
# a folder of its own inside, because compiled code runs on no lesser one.
PROGRAMS = Path(__file__).parents[1] / ".programs"
MOST_BYTES = 4e9  # of the folder; then all is forgotten


def keep_programs():
    """Let JAX keep compiled programs, in this process only, and forget them if they are too many.

    JAX_ENABLE_COMPILATION_CACHE=false in the environment keeps none.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ and PROGRAMS.exists():
        sizes = [path.stat().st_size for path in PROGRAMS.rglob("*") if path.is_file()]
        if sum(sizes) > MOST_BYTES:
            shutil.rmtree(PROGRAMS)
    machine = hashlib.sha256(ap.sweep.kept_programs.machine().encode()).hexdigest()[:12]
    jax.config.update("jax_compilation_cache_dir", str(PROGRAMS / machine))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)


keep_programs()


@contextmanager
def no_programs_of_jax():
    """Let JAX keep no programs meanwhile, and forget those that it has in memory.

    Programs that come from JAX's folder cannot be serialised as approx does it.
    """
    used = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()  # JAX asks whether it keeps programs once only
    jax.clear_caches()
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", used)
        compilation_cache.reset_cache()


LOOK = dict(mpl.rcParams)  # what matplotlib draws by, before any test


@pytest.fixture(autouse=True)
def _look():
    """What a test has drawn is closed, and a style that it has switched on is switched off."""
    yield
    plt.close("all")
    if dict(mpl.rcParams) != LOOK:
        mpl.rcParams.update(LOOK)


def digest(runs):
    """A digest of all numbers of a result."""
    sha = hashlib.sha256()
    for name in sorted(runs.variables):
        if runs[name].dtype.kind in "fiub":
            sha.update(name.encode() + np.ascontiguousarray(runs[name].values).tobytes())
    return sha.hexdigest()


@contextmanager
def _count_compiles():
    counts: list[str] = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            counts.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield counts
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def count_compiles(monkeypatch):
    """Count compilations.

    A process of many tests forgets its programs before it runs out of memory maps, and compiles
    them again. Here it does not, so that the count is the same whatever ran before.
    """
    monkeypatch.setattr(ap.sweep.programs, "maps_used", lambda: 0)
    return _count_compiles


@pytest.fixture(scope="session")
def tanh():
    """The network of the first figure, short."""
    return ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=300)


@contextmanager
def unoptimised():
    """Let `run` compile unoptimised programs, also where a script or a command calls it."""
    layouts = ap.sweep.layouts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "OPTIONS", dict.fromkeys(layouts.OPTIONS, QUICK))
        yield


@pytest.fixture
def soon():
    """`unoptimised`, for a whole test."""
    with unoptimised():
        yield


@pytest.fixture(scope="session")
def quiet():
    """Options that keep `run` silent, small and soon compiled."""
    return {"progress": False, "lanes": 8, "compiler_options": QUICK}
