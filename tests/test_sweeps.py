"""Promise: of a sweep on disk nothing is lost, nothing computed twice, nothing damaged believed,
and no bit changed.
"""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from conftest import QUICK

import approx as ap
from approx import commands
from approx.disk import (
    chunks,
    description,
    exports,
    files,
    folders,
    verification,
    writer,
)
from approx.sweep import devices, driver, provenance

ROOT = Path(__file__).parents[1]
TASK = ap.tasks.square()
RECIPE = ap.Recipe(model=ap.MLP(()), steps=30, records=(0, 10, 30))  # which is soon compiled
GRID = {"noise": [0.1, 0.0]}


def sweep(folder, seeds=16, **options):
    """Two blocks a cell, of eight lanes, by programs that are soon compiled."""
    given = {
        "seeds": seeds,
        "progress": False,
        "lanes": 8,
        "out": folder,
        "compiler_options": QUICK,
    }
    return ap.run(TASK, RECIPE, **(given | GRID | options))


@pytest.fixture(scope="module")
def memory():
    return sweep(None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a finished sweep of four chunks. Nobody changes it."""
    folder = tmp_path_factory.mktemp("made") / "x"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "SECONDS_PER_CHUNK", 0.0)
        sweep(folder, threads=1)
    return folder


@pytest.fixture
def finished(made, tmp_path):
    """A copy of a finished sweep of four chunks."""
    return shutil.copytree(made, tmp_path / "finished")


@pytest.fixture
def often(monkeypatch):
    """A chunk for every block, so that small sweeps have many."""
    monkeypatch.setattr(writer, "SECONDS_PER_CHUNK", 0.0)


def same(a: xr.Dataset, b: xr.Dataset) -> bool:
    """Every bit, name, coordinate and attribute, but when it was made."""
    (a, b) = (one.assign_attrs(created="") for one in (a, b))
    return a.identical(b)


def trainings(folder: Path) -> list[int]:
    """How many each chunk holds."""
    found = []
    for path in chunks.paths(folder):
        with h5py.File(path) as file:  # xarray looks at every variable
            found.append(len(file["training"]))
    return found


def another_processor(monkeypatch):
    """What is computed from here on seems to be computed on another processor."""
    monkeypatch.setattr(provenance, "processor", lambda: "another one")


@contextmanager
def stopped_after(count: int, error: BaseException | None = None):
    """The writer takes some blocks; at the next one the sweep fails as it should here."""
    add, calls = writer.Writer.add, []
    error = error or KeyboardInterrupt()

    def failing(self, *what):
        calls.append(what)
        if len(calls) > count:
            raise error
        add(self, *what)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer.Writer, "add", failing)
        with pytest.raises(type(error)):
            yield


def test_a_folder_holds_what_memory_would(memory, tmp_path):
    assert same(sweep(tmp_path / "x"), memory)
    loaded = ap.load(tmp_path / "x")
    # In increasing order, whatever was asked for first
    assert loaded.noise.values.tolist() == [0.0, 0.1]
    xr.testing.assert_identical(
        loaded.loss.sel({axis: memory[axis].values for axis in GRID}), memory.loss
    )
    assert {path.suffix for path in (tmp_path / "x").iterdir()} == {
        ".nc",
        ".json",
        ".jax",
        ".npz",
        "",
    }


@pytest.mark.slow
def test_what_metrics_parameters_and_kept_steps_there_are(tmp_path):
    options = {
        "seeds": 5,
        "keep": ("params", "prediction", "weight_norm"),
        "keep_at": (0, 30),
        "lanes": 4,
    }
    options |= {
        "metrics": {"pair": lambda params, predict: predict(np.ones((2, 1)))[:, 0]},
        "progress": False,
    }
    options |= {"cross": {"data": 2}, "freeze": ("order",)}
    whole = ap.run(TASK, RECIPE, **options)
    assert same(ap.run(TASK, RECIPE, **options, out=tmp_path / "x"), whole)
    loaded = ap.load(tmp_path / "x")
    assert same(loaded, whole)
    np.testing.assert_array_equal(
        ap.params(loaded, seed=1)[0]["w"], ap.params(whole, seed=1)[0]["w"]
    )
    assert verification.verify(tmp_path / "x").fine


@pytest.mark.slow
def test_several_recipes_have_a_folder_each(tmp_path):
    recipes = {"sgd": ap.Recipe(optimizer="sgd", steps=5), "adam": (TASK, ap.Recipe(steps=5))}
    options = {"seeds": 3, "lanes": 2, "progress": False}
    whole = ap.run(TASK, recipes, **options)
    assert same(ap.run(TASK, recipes, **options, out=tmp_path), whole)
    assert same(ap.load(tmp_path), whole)  # in the order of the recipes
    for label in ("../elsewhere", "a/b", "", ".."):
        with pytest.raises(ValueError, match="can be a name"):
            ap.run(TASK, {label: RECIPE}, seeds=1, out=tmp_path / "x", progress=False)
    assert sorted(os.listdir(tmp_path)) == ["adam", "recipes.json", "sgd"]


def test_seeds_and_values_added_later_are_all_that_is_computed(memory, tmp_path):
    sweep(tmp_path / "x", seeds=5, noise=[0.1])
    (first,) = chunks.paths(tmp_path / "x")
    before = first.stat().st_mtime_ns
    sweep(tmp_path / "x", noise=[0.1])
    assert trainings(tmp_path / "x") == [5, 11]
    assert same(sweep(tmp_path / "x"), memory)
    assert trainings(tmp_path / "x") == [5, 11, 16]
    assert first.stat().st_mtime_ns == before
    assert same(sweep(tmp_path / "x"), memory)
    assert trainings(tmp_path / "x") == [5, 11, 16]
    part = sweep(tmp_path / "x", seeds=[7, 3], noise=[0.0])
    xr.testing.assert_identical(part.loss, memory.loss.sel(seed=[7, 3], noise=[0.0]))


@pytest.mark.slow
def test_seeds_until_enough_is_known(tmp_path):
    options = {"lanes": 8, "progress": False, "until": lambda runs: runs.sizes["seed"] >= 200}
    found = ap.run(TASK, RECIPE, seeds=1000, out=tmp_path / "x", **options)
    assert same(found, ap.run(TASK, RECIPE, seeds=1000, **options))
    assert sum(trainings(tmp_path / "x")) == 256


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        pytest.param(OSError(28, "No space left on device"), marks=pytest.mark.slow),
    ],
)
def test_after_an_interrupt_or_an_error_the_same_call_goes_on(
    memory, tmp_path, capsys, often, error
):
    with stopped_after(2, error):
        sweep(tmp_path / "x", threads=1)
    assert "16 of 32 trainings stored; the same command goes on" in capsys.readouterr().err
    assert trainings(tmp_path / "x") == [8, 8]
    before = [(path.name, path.stat().st_mtime_ns) for path in chunks.paths(tmp_path / "x")]
    with pytest.raises(ValueError, match="16 of 32 trainings: the same command again"):
        ap.load(tmp_path / "x")
    with pytest.raises(ValueError, match="16 of 32"):  # no seed is finished in all cells
        ap.load(tmp_path / "x", partial=True)
    assert same(sweep(tmp_path / "x"), memory)
    after = [(path.name, path.stat().st_mtime_ns) for path in chunks.paths(tmp_path / "x")]
    assert after[:2] == before
    assert trainings(tmp_path / "x") == [8] * 4


def test_the_seeds_that_are_finished_can_be_loaded(memory, tmp_path, often):
    # The last cell has one of two blocks
    with stopped_after(3):
        sweep(tmp_path / "x", threads=1)
    part = ap.load(tmp_path / "x", partial=True)
    assert part.seed.values.tolist() == list(range(8))
    xr.testing.assert_identical(
        part.loss, memory.loss.sel({axis: part[axis].values for axis in (*GRID, "seed")})
    )


def test_a_long_training_goes_on_from_where_it_was_held(tmp_path, monkeypatch):
    """Interrupted in the middle of a block; afterwards only the rest of its steps is made."""
    recipe = replace(RECIPE, steps=1_000, records=(0, 500, 1_000))
    options = {"seeds": 8, "lanes": 8, "progress": False, "segment": 50}
    options["compiler_options"] = QUICK
    whole = ap.run(TASK, recipe, **options)
    # Of the first steps, before which nothing is held, there are as few as can be
    monkeypatch.setattr(devices, "LONGEST_PILOT", 0.0)
    monkeypatch.setattr(devices, "SECONDS_PER_HOLD", 0.0)
    hold, held = writer.Writer.hold, []

    def interrupted(self, batch):
        hold(self, batch)
        held.append(batch.begin)
        if batch.begin >= 500:
            raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(writer.Writer, "hold", interrupted)
        with pytest.raises(RuntimeError):
            ap.run(TASK, recipe, **options, out=tmp_path)
    (path,) = tmp_path.glob("held-*.npz")
    begun = []
    pilot = driver.pilot

    def watched(plan, ready, batch):
        begun.append(batch.begin)
        return pilot(plan, ready, batch)

    monkeypatch.setattr(driver, "pilot", watched)
    assert same(ap.run(TASK, recipe, **options, out=tmp_path), whole)
    assert begun == [held[-1]]
    assert 500 <= held[-1] < 1_000
    assert not path.exists()


def test_what_is_held_is_never_unpickled_and_if_damaged_done_anew(tmp_path):
    options = {"seeds": 8, "lanes": 8, "progress": False, "compiler_options": QUICK}
    with stopped_after(0):
        ap.run(TASK, RECIPE, **options, out=tmp_path)

    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    np.savez(tmp_path / "held-0.npz", leaf0=np.array([Evil()], object), allow_pickle=True)
    (tmp_path / "held-1.npz").write_bytes(b"PK no zip file")
    (tmp_path / "held-2.npz").write_bytes(pickle.dumps(Evil()))
    with pytest.warns(UserWarning, match=r"held-\d.npz is damaged"):
        found = ap.run(TASK, RECIPE, **options, out=tmp_path)
    assert not (tmp_path / "executed").exists()
    assert same(found, ap.run(TASK, RECIPE, **options))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": 1}, r"root is \[0, 1\], was \[0, 0\]"),
        pytest.param({"lanes": 4}, r"lanes is 4, was 8", marks=pytest.mark.slow),
        pytest.param({"freeze": ("data",)}, r"freeze.data is 0, was None", marks=pytest.mark.slow),
        pytest.param(
            {"recipe": replace(RECIPE, l2=0.1)},
            r"numbers.recipe.l2 is 0.1, was None",
            marks=pytest.mark.slow,
        ),
        ({"task": ap.tasks.square(range=2.0)}, r"numbers.task.range is 2.0, was 10.0"),
        ({"range": [1.0]}, r"has the axes noise, seed, and"),
    ],
)
def test_other_trainings_are_refused_saying_in_what_they_differ(finished, change, message):
    folder = finished
    before = {path: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}
    task, recipe = change.pop("task", TASK), change.pop("recipe", RECIPE)
    options = {"seeds": 2, "progress": False, "lanes": 8, "out": folder} | GRID | change
    with pytest.raises(ValueError, match=message):
        ap.run(task, recipe, **options)
    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


@pytest.mark.slow
def test_other_trainings_can_be_accepted_which_is_recorded(tmp_path, monkeypatch):
    sweep(tmp_path / "x", seeds=4)
    versions = provenance.versions()
    monkeypatch.setattr(provenance, "versions", lambda: versions | {"jax": "9.9"})
    with pytest.raises(ValueError, match=r"versions.jax is 9.9, was .* accept=True"):
        sweep(tmp_path / "x", seeds=6)
    both = sweep(tmp_path / "x", seeds=6, accept=True)
    assert json.loads(both.provenance)["versions"]["jax"] == "9.9"
    assert [one["versions"]["jax"] for one in json.loads(both.provenance)["accepted"]] == [
        versions["jax"]
    ]
    assert trainings(tmp_path / "x") == [8, 4]
    assert sweep(tmp_path / "x", seeds=6).fingerprint == both.fingerprint
    assert verification.verify(tmp_path / "x").fine


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds other things \(notes.txt\)"):
        sweep(tmp_path)
    with pytest.raises(FileNotFoundError, match="no sweep at"):
        ap.load(tmp_path)


def test_a_second_run_on_the_same_folder_is_refused(tmp_path):
    with (
        folders.locked(tmp_path),
        pytest.raises(RuntimeError, match=f"process {os.getpid()} on .*: wait for its end"),
    ):
        sweep(tmp_path)
    assert same(sweep(tmp_path, seeds=2), sweep(None, seeds=2))


def damage(folder: Path, how: str) -> None:
    """Do something to a sweep of several chunks."""
    first, second, *_ = chunks.paths(folder)
    content = bytearray(first.read_bytes())
    if how == "truncated":
        first.write_bytes(content[: len(content) // 2])
    elif how == "a flipped bit":
        with xr.open_dataset(first, engine="h5netcdf") as opened:
            part = opened.load()
        at = content.index(part.loss.values[-1].tobytes())
        content[at] ^= 1
        first.write_bytes(content)
    elif how == "swapped":
        third = folder / "third"
        first.rename(third), second.rename(first), third.rename(second)
    elif how == "foreign":
        sweep(folder.parent / "other", key=5)
        first.write_bytes(chunks.paths(folder.parent / "other")[0].read_bytes())
    elif how == "text":
        first.write_text("no netCDF")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        pytest.param(
            "truncated", "chunk-000000.nc is damaged, it cannot be read", marks=pytest.mark.slow
        ),
        pytest.param(
            "a flipped bit",
            "chunk-000000.nc is damaged, its contents are not those that were written",
            marks=pytest.mark.slow,  # test_damage.py flips many
        ),
        pytest.param(
            "swapped", "chunk-000000.nc was written as chunk-000001.nc", marks=pytest.mark.slow
        ),
        pytest.param("foreign", "chunk-000000.nc is of another sweep", marks=pytest.mark.slow),
        ("text", "chunk-000000.nc is damaged, it cannot be read"),
    ],
)
def test_damaged_swapped_and_foreign_files_are_named(memory, finished, how, message):
    folder = finished
    damage(folder, how)
    for use in (lambda: sweep(folder), lambda: ap.load(folder)):
        with pytest.raises(ValueError, match=message.split(",")[0]):
            use()
    with pytest.raises(ValueError, match=message):
        sweep(folder)
    found = verification.verify(folder, count=0)
    assert not found.fine
    assert any(message.split(",")[0] in sentence for sentence in found.damaged)
    for path in chunks.paths(folder)[:2]:
        path.unlink()
    assert same(sweep(folder), memory)  # as the message says


def test_a_finished_folder_is_read_once_and_not_written(finished, memory, monkeypatch):
    """But for the chunks' indices, by which `run` knows that nothing is missing."""
    read: list[str] = []
    real = files.open_netcdf

    def opened(path):
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(files, "open_netcdf", opened)
    every = ["coordinates.nc", *(path.name for path in chunks.paths(finished))]
    ap.load(finished)
    assert sorted(read) == sorted(every)

    read.clear()
    coordinates = finished / "coordinates.nc"
    before = coordinates.stat()
    assert same(sweep(finished), memory)
    assert sorted(read) == sorted(every + every[1:])
    after = coordinates.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    coordinates.unlink()  # as the error about a damaged one advises
    assert same(sweep(finished), memory)
    assert coordinates.exists()


def test_points_of_values_that_were_asked_for_apart_are_there_together(tmp_path):
    """The distance of a point depends on the range and on its center."""

    def asked(folder, width, center):
        return sweep(folder, noise=[0.1], range=[width], center=[center])

    asked(tmp_path, 1.0, 0.0)
    asked(tmp_path, 2.0, 0.5)
    assert same(asked(tmp_path, 1.0, 0.5), asked(None, 1.0, 0.5))


def test_numbers_that_never_came_out_of_the_program_are_found(finished, monkeypatch, capsys):
    """Even with a digest that fits: another seed's losses."""
    (path, *_) = chunks.paths(finished)
    part = chunks.read_chunk(path, description.read_sweep(finished)["sources"])
    part["loss"].values[0] = part.loss.values[1]
    part = part.assign_attrs(digest=chunks.digest(part))
    files.write_netcdf(path, part)
    found = verification.verify(finished, count=10**6)
    assert (found.damaged, found.sampled, found.differing, found.fine) == ([], 32, 1, False)
    monkeypatch.setattr(verification, "verify", lambda *_: found)  # it would compile all anew
    assert commands.verify(finished) == 1
    assert "NOT verified" in capsys.readouterr().out


@pytest.mark.slow
def test_elsewhere_losses_after_step_10_may_part(finished, monkeypatch):
    """The second record is that of step 10, the third that of step 30."""
    (path, *_) = chunks.paths(finished)
    part = chunks.read_chunk(path, description.read_sweep(finished)["sources"])
    part["loss"].values[:, 2] = np.roll(part.loss.values[:, 2], 1)  # the same distribution
    part = part.assign_attrs(digest=chunks.digest(part))
    files.write_netcdf(path, part)
    assert not verification.verify(finished).fine
    another_processor(monkeypatch)
    found = verification.verify(finished)
    assert (found.parted, found.fine) == (0, True)
    assert found.differing == part.sizes["training"]


@pytest.mark.slow
def test_elsewhere_what_comes_out_is_compared_by_size_and_distribution(
    tmp_path, monkeypatch, capsys
):
    sweep(tmp_path)
    here = provenance.processor()
    another_processor(monkeypatch)
    found = verification.verify(tmp_path)
    assert found.elsewhere == f"processor is another one, was {here}"
    assert found.fine
    assert found.parted == 0
    assert found.pvalue == 1
    assert commands.verify(tmp_path) == 0
    assert "bits may differ here: processor is another one" in capsys.readouterr().out
    (path, *_) = chunks.paths(tmp_path)
    part = chunks.read_chunk(path, description.read_sweep(tmp_path)["sources"])
    part["loss"].values[:, 1:] *= 1.1  # as if another optimiser had made them
    part = part.assign_attrs(digest=chunks.digest(part))
    files.write_netcdf(path, part)
    assert not verification.verify(tmp_path).fine


def test_what_cannot_be_exported_is_computed_and_said(memory, tmp_path, monkeypatch):
    def fail(*_):
        raise NotImplementedError("a callback to the host")

    monkeypatch.setattr(exports, "exported", fail)
    with pytest.warns(
        UserWarning, match=r"(start|advance).jax cannot be made, .*: a callback to the host"
    ):
        assert same(sweep(tmp_path), memory)
    found = verification.verify(tmp_path)
    assert not found.fine
    assert "start.jax is missing: the same command makes it" in found.damaged[0]


def test_status_says_how_far_it_is(tmp_path, capsys, often):
    with stopped_after(2):
        sweep(tmp_path / "x", threads=1)
    capsys.readouterr()
    assert commands.status(tmp_path / "x") == 0
    said = capsys.readouterr().out
    assert "16 of 32 trainings finished (50.0%), 0 diverged" in said
    assert "axes: noise 2 x seed 16" in said
    assert "nobody is at it; the same command goes on" in said
    with folders.locked(tmp_path / "x"):
        commands.status(tmp_path)  # the folder around it
        assert "running" in capsys.readouterr().out
    with pytest.warns(UserWarning, match="16 trainings have no finite loss"):
        sweep(tmp_path / "x", noise=[0.1, 0.0, 1e30])
    commands.status(tmp_path / "x")
    said = capsys.readouterr().out
    assert "48 of 48 trainings finished (100.0%), 16 diverged" in said
    assert "goes on" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["--help"], 0, "verify"), (["status", "."], 1, "no sweep at"), (["stat"], 2, "stat")],
)
def test_the_command_line_knows_its_commands(tmp_path, monkeypatch, capsys, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["approx", *arguments])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    said = capsys.readouterr()
    if isinstance(ended.value.code, str):  # a message on stderr, and an exit status of 1
        assert (code, words in ended.value.code) == (1, True)
    else:
        assert ended.value.code == code
        assert words in said.out + said.err


@pytest.mark.slow
def test_arrays_can_be_read_when_they_are_used(memory, tmp_path, often):
    dask = pytest.importorskip("dask.array")
    sweep(tmp_path / "x", seeds=5)
    assert same(sweep(tmp_path / "x"), memory)
    lazy = ap.load(tmp_path / "x", lazy=True)
    assert isinstance(lazy.prediction.data, dask.Array)
    xr.testing.assert_identical(lazy.compute(), ap.load(tmp_path / "x"))


def test_an_unknown_format_is_refused(tmp_path):
    sweep(tmp_path, seeds=1)
    path = tmp_path / "sweep.json"
    files.write_json(path, files.read_json(path)[0] | {"format": 99})
    with pytest.raises(ValueError, match="format 99; this version of approx reads up to 2"):
        ap.load(tmp_path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"sweep.json is damaged"):
        ap.load(tmp_path)


# ---- processes that really end -------------------------------------------------------------------

LONG = """
import signal
import sys
# A shell starts what runs in the background with interrupts ignored, and tests may run there.
signal.signal(signal.SIGINT, signal.default_int_handler)
import approx as ap
from approx.disk import writer
from approx.sweep import devices
writer.SECONDS_PER_CHUNK, devices.SECONDS_PER_HOLD = 0.05, 0.05
ap.run(
    ap.tasks.square(), ap.Recipe(steps=3_000, records=(0, 10, 3_000)), seeds=1_200, lanes=16,
    segment=200, learning_rate=[0.1, 0.01], out=sys.argv[1],
)
"""


def command(folder: Path, **options) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment["APPROX_CACHE"] = f"{folder}-programs"  # only the first of them compiles
    return subprocess.Popen(
        [sys.executable, "-c", LONG, folder],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


@pytest.fixture(scope="module")
def undisturbed():
    recipe = ap.Recipe(steps=3_000, records=(0, 10, 3_000))
    return ap.run(TASK, recipe, seeds=1_200, lanes=16, learning_rate=[0.1, 0.01], progress=False)


def stored(folder: Path) -> dict[str, tuple[int, int]]:
    """Every chunk's place on the disk and time of writing."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in chunks.paths(folder)
    }


@pytest.mark.slow
def test_killed_at_ten_random_moments(undisturbed, tmp_path):
    """Chunks once there stay as they are, and the finished result is bitwise that of an undisturbed
    run.
    """
    rng = np.random.default_rng(0)
    before: dict[str, tuple[int, int]] = {}
    kills, grown = 0, 0
    while kills < 10 or (grown < 3 and kills < 40):  # a slow machine writes few chunks in time
        process = command(tmp_path)
        for line in process.stderr:  # until it trains: the time before is not what can be lost
            if "trainings of" in line:
                break
        time.sleep(rng.uniform(0, 0.6))
        process.kill()
        process.wait()
        process.stderr.close()
        kills += 1
        after = stored(tmp_path)
        assert before.items() <= after.items()
        grown += len(after) > len(before)
        before = after
        for path in chunks.paths(tmp_path):
            chunks.read_chunk(path, description.read_sweep(tmp_path)["sources"])
        if sum(trainings(tmp_path)) == 2_400:
            break
    assert kills >= 5, "the sweep is too short to be killed often"
    assert grown >= 3
    process = command(tmp_path)
    assert process.wait(timeout=600) == 0
    process.stderr.close()
    assert before.items() <= stored(tmp_path).items()
    assert sum(trainings(tmp_path)) == 2_400
    loaded = ap.load(tmp_path).sel(learning_rate=[0.1, 0.01])
    for name in undisturbed.data_vars:
        np.testing.assert_array_equal(
            loaded[name].values, undisturbed[name].values, err_msg=str(name)
        )
    assert not list(tmp_path.glob("held-*"))
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.slow
def test_interrupted_by_the_keyboard_it_says_how_to_go_on(undisturbed, tmp_path):
    process = command(tmp_path)
    for line in process.stderr:
        if "trainings of" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "interrupted: " in said
    assert f"the same command goes on with {tmp_path}" in said
    process = command(tmp_path)
    assert process.wait(timeout=600) == 0
    process.stderr.close()
    loaded = ap.load(tmp_path).sel(learning_rate=[0.1, 0.01])
    np.testing.assert_array_equal(loaded.loss.values, undisturbed.loss.values)


@pytest.mark.slow
def test_a_disk_that_is_full(undisturbed, tmp_path):
    """No file may grow beyond 100 kB, which programs and small chunks do not need: then a large
    chunk does.
    """
    import resource

    process = command(tmp_path)  # the first chunks, and the files that are needed to begin
    while len(stored(tmp_path)) < 3:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    before = stored(tmp_path)

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))

    process = command(tmp_path, preexec_fn=small)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert before.items() <= stored(tmp_path).items()
    process = command(tmp_path)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    # HDF5 may crash where it cannot close a file, which stays until then
    assert not list(tmp_path.glob(".*.tmp"))
    loaded = ap.load(tmp_path).sel(learning_rate=[0.1, 0.01])
    np.testing.assert_array_equal(loaded.loss.values, undisturbed.loss.values)
