"""Promise: a program that an earlier process has traced is found without tracing it again, and is
the one that tracing would give. What could change it unseen is traced in every process.
"""

import threading
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK, digest, no_programs_of_jax

import approx as ap
from approx.disk.verification import verify
from approx.sweep import blocks, kept_programs, program_files, programs, traced_before
from approx.sweep.plans import inputs, make_plans
from approx.sweep.request import Request, checked
from approx.training import loop, optimizers

TASK = ap.tasks.square(range=1.0, size=9)
RECIPE = ap.Recipe(model=ap.MLP((3,), "tanh"), steps=4)
ASKED = {"seeds": 5, "lanes": 4, "compiler_options": QUICK, "progress": False}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for programs, in a process that has traced and compiled none."""
    monkeypatch.setenv("APPROX_CACHE", str(tmp_path / "programs"))
    monkeypatch.setattr(kept_programs, "_refused", set())
    monkeypatch.setattr(kept_programs, "_jax_keeps", threading.Event())
    forget(monkeypatch)
    with no_programs_of_jax():
        yield tmp_path / "programs"
        kept_programs.finish()


def forget(monkeypatch):
    """Nothing is in memory any more, as in a new process."""
    for name in ("_built", "_compiled", "_lowered", "_recalled"):
        monkeypatch.setattr(programs, name, {})


def traces(place):
    """The files that say what is known of programs."""
    return sorted(place.glob(f"*{program_files.TRACE}"))


def planned(task=TASK, recipe=RECIPE, **asked):
    """The plan of a run, and the inputs of its block."""
    (plan,) = make_plans(checked(Request(task=task, recipe=recipe, **(ASKED | asked))))
    return plan, inputs(plan, np.arange(1))


def place_of(task=TASK, recipe=RECIPE, **asked):
    """The file that belongs to the program of the steps; None if there is none."""
    plan, given = planned(task, recipe, **asked)
    device = jax.local_devices()[0]
    return traced_before.place_of(blocks.advance, (plan.structure,), given, "[]", device)


# ---- without tracing -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["lanes", "vmap", "columns"])
def test_the_next_process_traces_nothing_and_has_the_same_bits(form, place, monkeypatch):
    asked = ASKED | {"form": form}
    first = ap.run(TASK, RECIPE, **asked)
    kept_programs.finish()
    assert len(traces(place)) == 4  # look, draw, start and advance
    forget(monkeypatch)
    monkeypatch.setattr(programs, "newly_lowered", None)  # whoever calls it ends in an error
    again = ap.run(TASK, RECIPE, **asked)
    assert digest(again) == digest(first)
    assert again.fingerprint == first.fingerprint
    more = ap.run(TASK, RECIPE, **asked | {"seeds": 9})
    assert digest(more.isel(seed=slice(5))) == digest(first)


def test_a_folder_of_trainings_goes_on_in_the_next_process(place, tmp_path, monkeypatch):
    ap.run(TASK, RECIPE, out=tmp_path / "sweep", **ASKED)
    kept_programs.finish()
    forget(monkeypatch)
    monkeypatch.setattr(programs, "newly_lowered", None)
    more = ap.run(TASK, RECIPE, out=tmp_path / "sweep", **ASKED | {"seeds": 9})
    assert more.sizes["seed"] == 9
    assert verify(tmp_path / "sweep").fine


def test_a_program_whose_compiled_form_is_gone_is_compiled_again(place, monkeypatch):
    first = ap.run(TASK, RECIPE, **ASKED)
    kept_programs.finish()
    for path in place.glob(f"*{program_files.SUFFIX}"):
        path.unlink()
    forget(monkeypatch)
    again = ap.run(TASK, RECIPE, **ASKED)
    assert digest(again) == digest(first)
    assert again.fingerprint == first.fingerprint
    kept_programs.finish()
    assert len(list(place.glob(f"*{program_files.SUFFIX}"))) == 4


def test_a_file_that_says_what_is_not_so_is_never_believed_in_silence(place, monkeypatch):
    ap.run(TASK, RECIPE, **ASKED)
    kept_programs.finish()
    forget(monkeypatch)
    recall = traced_before.recall
    monkeypatch.setattr(
        traced_before, "recall", lambda place: recall(place)._replace(text="another")
    )
    with pytest.raises(RuntimeError, match="belongs to another program than it says"):
        ap.run(TASK, RECIPE, **ASKED)


def test_a_damaged_file_is_traced_anew_and_replaced(place, monkeypatch):
    first = ap.run(TASK, RECIPE, **ASKED)
    kept_programs.finish()
    whole = {path: path.read_bytes() for path in traces(place)}
    for path, content in whole.items():
        path.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    forget(monkeypatch)
    assert digest(ap.run(TASK, RECIPE, **ASKED)) == digest(first)
    kept_programs.finish()
    assert {path: path.read_bytes() for path in traces(place)} == whole


def test_without_a_folder_nothing_is_known(monkeypatch):
    monkeypatch.setenv("APPROX_CACHE", "off")
    assert place_of() is None


# ---- one file, one program -----------------------------------------------------------------------


VARIED = {
    "width": {"model": ap.MLP((4,), "tanh")},
    "depth": {"model": ap.MLP((3, 3), "tanh")},
    "activation": {"model": ap.MLP((3,), "relu")},
    "activation of JAX": {"model": ap.MLP((3,), jax.nn.softplus)},
    "no bias": {"model": ap.MLP((3,), "tanh", bias=False)},
    "weights": {"model": ap.MLP((3,), "tanh", initializer="keras")},
    "dropout": {"model": ap.MLP((3,), "tanh", dropout=0.1)},
    "optimiser": {"optimizer": "sgd"},
    "option": {"options": {"amsgrad": True}},
    "batch": {"batch_size": 4},
    "batches": {"batch_size": 4, "batches": "replacement"},
    "steps": {"steps": 5},
    "records": {"records": 2},
    "schedule": {"schedule": "cosine"},
    "penalty": {"l2": 1e-3},
    "dtype": {"dtype": "float64"},
}


@pytest.mark.parametrize("one_in", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_two_programs_have_one_file_only_if_they_have_one_text(one_in, place):
    cases = [(TASK, RECIPE, {"form": form}) for form in ("lanes", "vmap", "columns")]
    cases += [(TASK, replace(RECIPE, **fields), {}) for fields in VARIED.values()]
    cases += [
        (ap.tasks.square(range=1.0, size=10), RECIPE, {}),
        (ap.tasks.square(range=1.0, size=9, inputs="uniform"), RECIPE, {}),
        (ap.tasks.square(range=1.0, size=9, noise=0.1), RECIPE, {}),
        (ap.tasks.sine(size=9), RECIPE, {}),
        (replace(TASK, loss="mae"), RECIPE, {}),
        (replace(TASK, validation=0.2), RECIPE, {}),
        (TASK, RECIPE, {"keep": ("params",)}),
        (TASK, RECIPE, {"keep_at": (0, 4)}),
        (TASK, RECIPE, {"lanes": 8}),
        (TASK, RECIPE, {"grid": {"learning_rate": [1e-3, 1e-2]}}),
    ]
    cases = cases[::one_in]
    texts = {}
    for task, recipe, asked in cases:
        for path, text in files_and_texts(*planned(task, recipe, **asked)):
            assert path is not None, (task, recipe)
            assert texts.setdefault(path, text) == text, (task, recipe)
    # Some share a start; and a swept number is one for each lane anyway, and changes no program
    assert len(cases) < len(texts) <= 2 * len(cases)


def files_and_texts(plan, given):
    """The files of a block's two programs, and the texts that they have if they are traced."""
    device = jax.local_devices()[0]
    step = jax.ShapeDtypeStruct((), np.int32)
    with ap.sweep.facts.x64(plan.recipe):
        traced = programs.trace(plan.structure, given, QUICK, device)
        calls = {
            (blocks.start, ()): traced.given,
            (blocks.advance, (1,)): (traced.carry, given, step, step),
        }
        for (function, donated), arguments in calls.items():
            call = function, (plan.structure,), arguments
            _, found = programs.newly_lowered(*call, donated, QUICK, device)
            yield traced_before.place_of(*call, found.options, device), found.text


def test_numbers_and_arrays_are_no_part_of_it(place):
    assert place_of(recipe=replace(RECIPE, learning_rate=0.5)) == place_of()
    x = np.linspace(-1, 1, 9)
    assert place_of(ap.given(x, x**2)) == place_of(ap.given(x, x**3))


SETTINGS = {
    "jax_default_matmul_precision": "highest",
    "jax_threefry_partitionable": False,
    "jax_softmax_custom_jvp": not jax.config.jax_softmax_custom_jvp,
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_jax_has_files_of_its_own(setting, place):
    before, was = place_of(), jax.config.values[setting]
    try:
        jax.config.update(setting, SETTINGS[setting])
        assert place_of() != before
    finally:
        jax.config.update(setting, was)


# ---- approx's own code ---------------------------------------------------------------------------


def exchange_function(patch):
    patch.setattr(loop, "record_by_record", lambda *given: given)


def exchange_method(patch):
    patch.setattr(ap.MLP, "apply", lambda *given: given)


def exchange_number(patch):
    patch.setattr(blocks, "OWN_ROWS", 7)


def exchange_in_a_table(patch):
    patch.setitem(optimizers.OPTIMIZERS, "sgd", optimizers.OPTIMIZERS["adam"])


@pytest.mark.parametrize(
    "exchange", [exchange_function, exchange_method, exchange_number, exchange_in_a_table]
)
def test_what_was_exchanged_in_a_module_has_files_of_its_own(exchange, place, monkeypatch):
    before = traced_before.code_of_approx()
    exchange(monkeypatch)
    assert traced_before.code_of_approx() != before
    monkeypatch.undo()
    assert traced_before.code_of_approx() == before


def test_a_run_does_not_change_the_digest_of_the_code(place):
    before = traced_before.code_of_approx()
    ap.run(TASK, RECIPE, **ASKED)
    assert traced_before.code_of_approx() == before


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file of another project, in place of those that programs are traced from."""
    (tmp_path / "approx" / "training").mkdir(parents=True)
    file = tmp_path / "approx" / "training" / "loop.py"
    file.write_text("a = 1\n")
    (tmp_path / "approx" / "plot.py").write_text("b = 1\n")
    monkeypatch.setattr(traced_before, "ROOT", tmp_path / "approx")
    monkeypatch.setattr(traced_before, "IMPORTED", float("inf"))
    traced_before.source_of_approx.cache_clear()
    yield file
    traced_before.source_of_approx.cache_clear()


def digest_now():
    """The digest of the files, as another process would take it."""
    traced_before.source_of_approx.cache_clear()
    return traced_before.source_of_approx()


def test_a_changed_source_has_files_of_its_own(source):
    before = digest_now()
    source.write_text("a = 2\n")
    assert digest_now() != before
    source.write_text("a = 1\n")
    assert digest_now() == before
    source.with_name("more.py").write_text("")
    assert digest_now() != before


def test_a_source_that_programs_are_not_traced_from_does_not_count(source):
    before = digest_now()
    (source.parents[1] / "plot.py").write_text("b = 2\n")
    assert digest_now() == before


def test_a_source_that_has_changed_since_it_was_imported_is_not_trusted(source, monkeypatch):
    monkeypatch.setattr(traced_before, "IMPORTED", source.stat().st_mtime - 1)
    assert digest_now() is None
    assert traced_before.code_of_approx() is None
    assert place_of() is None


def test_a_source_that_cannot_be_read_is_not_trusted(source):
    source.unlink()
    source.mkdir()
    assert digest_now() is None


# ---- a user's own code ---------------------------------------------------------------------------


def cube(x):
    return x**3


class Own(ap.MLP):
    """A user's class, which could override anything."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class OwnTask(type(TASK)):
    """A task of the user's, which could override anything."""


def first_weights(key, x):
    return jnp.zeros((x.shape[1], 1))


def outputs(params, x):
    return x @ params


OWN = {
    "function": lambda: (ap.drawn(cube, (-1.0, 1.0), rows=9), RECIPE, {}),
    "function that is called before": lambda: (ap.task(cube, np.linspace(-1, 1, 9)), RECIPE, {}),
    "task": lambda: (OwnTask(**vars(TASK)), RECIPE, {}),
    "loss": lambda: (replace(TASK, loss=lambda y, t: jnp.abs(y - t).mean(-1)), RECIPE, {}),
    "model": lambda: (TASK, replace(RECIPE, model=Own((3,), "tanh")), {}),
    "activation": lambda: (TASK, replace(RECIPE, model=ap.MLP((3,), cube)), {}),
    "pair of functions": lambda: (TASK, replace(RECIPE, model=(first_weights, outputs)), {}),
    "part of a function": lambda: (
        TASK,
        replace(RECIPE, model=ap.MLP((3,), partial(jnp.multiply, 2.0))),
        {},
    ),
    "optimiser": lambda: (
        TASK,
        ap.Recipe(model=RECIPE.model, optimizer=optax.sgd(0.1), learning_rate=None, steps=4),
        {},
    ),
    "schedule": lambda: (TASK, replace(RECIPE, schedule=lambda step: 0.1), {}),
    "metric": lambda: (TASK, RECIPE, {"metrics": {"m": lambda params, predict: 1.0}}),
}
# Only arrays are left of the one, and the other is JAX's with a number
KNOWN_ALL_THE_SAME = {"function that is called before", "part of a function"}


@pytest.mark.parametrize("what", OWN)
def test_what_is_a_users_own_is_traced_in_every_process(what, place):
    task, recipe, asked = OWN[what]()
    assert (place_of(task, recipe, **asked) is not None) == (what in KNOWN_ALL_THE_SAME)


def test_a_function_that_reads_a_file_is_read_again(place, tmp_path, monkeypatch):
    """The reason for the rule: no digest tells what a function finds while it is traced."""
    table = tmp_path / "factor.npy"

    def scaled(x):
        return float(np.load(table)) * jnp.tanh(x)

    found = []
    for factor in (1.0, 3.0):
        np.save(table, factor)
        forget(monkeypatch)
        jax.clear_caches()
        runs = ap.run(TASK, replace(RECIPE, model=ap.MLP((3,), scaled)), **ASKED)
        kept_programs.finish()
        found.append(digest(runs))
    assert found[0] != found[1]
