"""Shared set-up: shapes are checked by jaxtyping and beartype, in tests only, and compilations can be counted."""

from contextlib import contextmanager

import jaxtyping

# Where shapes are; what users call first, recipes and runs, has errors of its own that must not be forestalled.
CHECKED = (
    "losses",
    "tasks",
    "models",
    "second_order",
    "optimizers",
    "sampling",
    "steps",
    "training",
    "blocks",
    "results",
)
hook = jaxtyping.install_import_hook([f"approx.{name}" for name in CHECKED], "beartype.beartype")
hook.__enter__()  # for the whole session

import jax  # noqa: E402
import matplotlib as mpl  # noqa: E402
import pytest  # noqa: E402

import approx as ap  # noqa: E402

mpl.use("Agg")


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
def count_compiles():
    return _count_compiles


@pytest.fixture(scope="session")
def tanh():
    """The network of the first figure, short."""
    return ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=300)


@pytest.fixture(scope="session")
def quiet():
    """Options that keep `run` silent and small."""
    return {"progress": False, "lanes": 8}
