"""Promise: a result on disk is whole or not there, and nothing else is taken for one."""

import multiprocessing
import os
import signal
import time

import distributed
import h5py
import numpy as np
import pytest
import xarray as xr

import approx as ap


@pytest.fixture(scope="module")
def runs(quiet):
    return ap.run(
        ap.tasks.square(), ap.Recipe(steps=5), seeds=3, keep=("prediction", "params"), **quiet
    )


def test_round_trip(runs, tmp_path):
    path = ap.save(runs, tmp_path / "folder" / "name")
    assert path == tmp_path / "folder" / "name.nc"
    loaded = ap.load(tmp_path / "folder" / "name")
    assert loaded.identical(runs)
    for a, b in zip(ap.params(loaded, seed=1), ap.params(runs, seed=1), strict=True):
        np.testing.assert_array_equal(a["w"], b["w"])
    assert os.listdir(path.parent) == ["name.nc"]
    with xr.open_dataset(path) as opened:  # the file is netCDF for others too
        others = opened.load().drop_attrs()
    assert others.evaluations.dims == ("step",)  # the same for all seeds, and stored once
    assert (others.evaluations == runs.evaluations).all()
    assert others.drop_vars("evaluations").identical(runs.drop_attrs().drop_vars("evaluations"))


def test_what_is_the_same_over_axes_is_stored_once(runs, tmp_path):
    seeds, records = runs.loss.shape
    same = np.broadcast_to(np.float32(7.0), (seeds, records))
    partly = np.broadcast_to(np.arange(seeds, dtype=np.float32)[:, None], (seeds, records))
    changed = runs.assign(
        same=(("seed", "step"), same),
        partly=(("seed", "step"), partly),
        nothing=(("seed", "nowhere"), np.broadcast_to(np.float32(1.0), (seeds, 0))),
    )
    path = ap.save(changed.drop_vars("seed"), tmp_path / "same")
    assert ap.load(path).identical(changed.drop_vars("seed"))
    with xr.open_dataset(path) as opened:
        assert opened.same.shape == ()
        assert opened.partly.shape == (seeds, records)


@pytest.mark.slow
def test_round_trip_of_recipes_and_a_grid(tmp_path, quiet):
    recipes = {"adam": ap.Recipe(steps=5), "sgd": ap.Recipe(optimizer="sgd", steps=5)}
    runs = ap.run(
        ap.tasks.square(), recipes, seeds=2, range=[1.0, 2.0], learning_rate=[0.1, 1e-3], **quiet
    )
    assert runs.loss.dims == ("recipe", "range", "learning_rate", "seed", "step")
    assert runs.x_test.dims == ("range", "point", "input")
    assert ap.load(ap.save(runs, tmp_path / "grid")).identical(runs)


def test_what_is_missing_or_foreign_is_named(runs, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.nc: ap.save writes a file"):
        ap.load(tmp_path / "nothing")
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(ValueError, match=r"text.nc is not a result: it cannot be read"):
        ap.load(tmp_path / "text.nc")
    xr.Dataset({"a": ("x", [1, 2])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"other.nc is not a result: .* ap.save did not write it"):
        ap.load(tmp_path / "other.nc")
    path = ap.save(runs, tmp_path / "new")
    with h5py.File(path, "r+") as file:
        file.attrs["approx_format"] = 99
    with pytest.raises(ValueError, match="format 99; this version of approx reads up to 3"):
        ap.load(path)
    whole = ap.save(runs, tmp_path / "cut").read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a result"):
        ap.load(tmp_path / "cut")
    with pytest.raises(ValueError, match="no fingerprint"):
        ap.save(runs.drop_attrs(), tmp_path / "anonymous")


def test_a_failing_write_leaves_the_old_result(runs, tmp_path, monkeypatch):
    path = ap.save(runs, tmp_path / "result")
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        ap.save(runs.isel(seed=[0]), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["result.nc"]


def _save_for_ever(path, count):
    runs = ap.load(path)
    while True:
        ap.save(runs.assign(count=runs.seed * 0 + count), path)


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_result(runs, tmp_path):
    path = ap.save(runs.assign(count=runs.seed * 0), tmp_path / "result")
    context = multiprocessing.get_context("spawn")
    for attempt in range(2):
        process = context.Process(target=_save_for_ever, args=(path, attempt + 1))
        process.start()
        while int(ap.load(path)["count"][0]) != attempt + 1:  # until it writes
            time.sleep(0.05)
        time.sleep(0.013 * (attempt + 1))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        loaded = ap.load(path)
        assert int(loaded["count"][0]) == attempt + 1
        assert loaded.drop_vars("count").identical(runs)


def test_what_was_widened_after_a_load_is_saved_as_wide(runs, tmp_path):
    """A loaded variable remembers the type it had in its file, and xarray would write it in that
    again.
    """
    loaded = ap.load(ap.save(runs, tmp_path / "one.nc"))
    numbers = loaded.loss.values.astype("float64") + 1e-12
    wide = loaded.assign(loss=loaded.loss.copy(data=numbers))
    wide.loss.encoding = loaded.loss.encoding
    again = ap.load(ap.save(wide, tmp_path / "two.nc"))
    assert again.loss.dtype == np.float64
    np.testing.assert_array_equal(again.loss, wide.loss)


def test_a_process_with_a_dask_client_saves_too(runs, tmp_path):
    """xarray takes its locks from Dask's scheduler there, which knows no file that is made in
    memory.
    """
    with distributed.Client(
        processes=False, n_workers=1, protocol="tcp://", dashboard_address=None
    ):
        path = ap.save(runs, tmp_path / "beside_dask.nc")
    assert ap.load(path).identical(runs)
