"""Promise: damage to any file is refused by the file's name, and whatever loads has the numbers
that were written.

The folders here are made of numbers that nobody trained, by the functions that a run writes with.
"""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr

import approx as ap
from approx import commands
from approx.disk import (
    chunks,
    description,
    files,
    folders,
    hdf5_files,
    labelled,
    recomputation,
    seals,
    verification,
)
from approx.disk import held as held_blocks

ROOT = Path(__file__).parents[1]
RATES, SEEDS, STEPS = np.array([0.01, 0.1]), np.arange(6), np.array([0, 10, 30])


def result(seeds: int = 6, identity: str = "0" * 64) -> xr.Dataset:
    """What `run` gives, of numbers from a generator."""
    rng = np.random.default_rng(3)
    variables = {
        "loss": (
            ("seed", "step"),
            rng.random((seeds, 3), np.float32),
            {"long_name": "loss on the training rows"},
        ),
        "prediction": (("seed", "point", "output"), rng.random((seeds, 4, 1), np.float32)),
    }
    coordinates = {"seed": np.arange(seeds), "step": STEPS, "distance": ("point", [-1.0, 0, 1, 2])}
    return xr.Dataset(
        variables,
        coordinates,
        {"fingerprint": identity, "identity": identity, "provenance": '{"seeds": 6}', "lanes": 8},
    )


def source(rate: float = 0.5) -> dict:
    """A provenance with the entries that a folder works with."""
    about = {
        "program": "module @start",
        "numbers": {"recipe.l2": rate},
        "table": "",
        "grid": {},
        "seeds": "",
        "cross": {},
    }
    return about | {
        "lanes": 8,
        "compiler_options": {"start": {}, "advance": {}},
        "versions": {},
        "processor": "",
    }


def head(rate: float = 0.5) -> folders.Head:
    """Of a sweep over two learning rates and six seeds."""
    points = xr.Dataset(
        coords={
            "step": ("step", STEPS, {"long_name": "updates made"}),
            "learning_rate": RATES,
            "seed": SEEDS,
            "kept_step": 30,
            "x_test": (("point", "input"), np.linspace(-1, 1, 4)[:, None]),
            "y_test": (("point", "output"), np.linspace(-1, 1, 4)[:, None] ** 2),
            "distance": ("point", np.array([-1.0, 0, 1, 2])),
        }
    )
    program = {"leaves": ["loss", "prediction"], "axis": 0}
    return folders.Head(
        source(rate), {"learning_rate": RATES, "seed": SEEDS}, points, {"lanes": 8}, program
    )


def part(trainings: np.ndarray, key: int = 0) -> xr.Dataset:
    """Finished trainings, by number."""
    rng, many = np.random.default_rng([key, *trainings]), len(trainings)
    cell, row = np.divmod(trainings, len(SEEDS))
    found = {
        "loss": (("training", "step"), rng.random((many, 3), np.float32)),
        "test_loss": (("training", "step"), rng.random((many, 3), np.float32)),
        "outside_loss": (("training", "step"), rng.random((many, 3), np.float32)),
        "evaluations": (("step",), STEPS.astype(np.float32), {"long_name": "evaluations"}),
        "prediction": (("training", "point", "output"), rng.random((many, 4, 1), np.float32)),
        "training_numbers": (("training", "number"), RATES[cell][:, None]),
        "training_streams": (
            ("training", "stream"),
            np.repeat(row[:, None], 5, 1).astype(np.uint32),
        ),
        "training_params": ("training", np.zeros(many, int)),
        "learning_rate": ("training", RATES[cell]),
        "seed": ("training", SEEDS[row]),
    }
    return xr.Dataset(found)


def sweep(folder: Path, label: str | None = None, rate: float = 0.5, chunk_count: int = 2) -> str:
    """A finished sweep of 12 trainings in two chunks, or an unfinished one; its source's name."""
    with folders.locked(folder):
        name = folders.begin(folder, head(rate), label=label)
        for trainings in np.split(np.arange(12), 2)[:chunk_count]:
            chunks.write_chunk(folder, part(trainings, key=int(rate * 100)), name)
        files = {"inputs.npz": inputs, "start.jax": exported, "advance.jax": exported}
        folders.write_files(folder, name, files)
        held_blocks.hold(
            folder, name, np.array([b"training"]), 10, [np.arange(4.0), np.ones((2, 3))]
        )
    return name


def inputs() -> bytes:
    """What all trainings are given."""
    file = io.BytesIO()
    np.savez(file, root=np.array([0, 1], np.uint32), array0=np.linspace(0, 1, 7))
    return file.getvalue()


def exported() -> bytes:
    """A program as JAX exports it."""
    return bytes(jax.export.export(jax.jit(lambda x: x + 1))(np.float32(0)).serialize())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder of two recipes, and a result as one file."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "both").mkdir()
    for label, rate in (("adam", 0.25), ("sgd", 0.5)):
        sweep(folder / "both" / label, label, rate)
    labelled.write_labels(folder / "both", ["sgd", "adam"])
    ap.save(result(), folder / "result")
    return folder


@pytest.fixture
def copy(made, tmp_path) -> Path:
    """The same, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def held(folder: Path) -> list:
    """What is held, as lists; the warning of damage as an error."""
    name = next(iter(description.read_sweep(folder)["sources"]))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = [*held_blocks.held(folder, name)]
    if said:
        raise ValueError(str(said[0].message))
    return [
        (rows.tolist(), begin, [leaf.tolist() for leaf in leaves]) for rows, begin, leaves in found
    ]


def program(folder: Path) -> tuple:
    """The program and the inputs of a sweep, as they are compared."""
    name = next(iter(description.read_sweep(folder)["sources"]))
    found = recomputation.read_program(folder, name)
    arrays = {name: array.tolist() for name, array in found.shared.items()}
    return found.start.mlir_module_serialized, found.advance.mlir_module_serialized, arrays


def lazily(folder: Path) -> xr.Dataset:
    """A folder whose arrays are read one by one."""
    pytest.importorskip("dask")
    return ap.load(folder, lazy=True).compute()


KINDS = {
    "result.nc": ap.load,
    "both/recipes.json": lambda path: ap.load(path.parent),
    "both/sgd/sweep.json": lambda path: ap.load(path.parents[1]),
    "both/sgd/coordinates.nc": lambda path: ap.load(path.parent),
    "both/sgd/chunk-000000.nc": lambda path: ap.load(path.parent),
    "both/sgd/chunk-000001.nc": lambda path: lazily(path.parent),
    "both/sgd/*.inputs.npz": lambda path: program(path.parent),
    "both/sgd/*.start.jax": lambda path: program(path.parent),
    "both/sgd/held-*.npz": lambda path: held(path.parent),
}


def same(a, b) -> bool:
    """Whether two of what the functions above give are equal to the last bit and name."""
    return a.identical(b) if isinstance(a, xr.Dataset) else a == b


def flip(path: Path, use, flips: int, key: int) -> tuple[int, int]:
    """Flip so many single bits, one after another; how many loads gave the same, and how many were
    refused by name.

    The places are drawn from all bytes and, every other time, from the first and last thousand,
    where headers stand.
    """
    content, right, rng = path.read_bytes(), use(path), np.random.default_rng(key)
    alike = refused = 0
    for number in range(flips):
        at = int(rng.integers(len(content)))
        if number % 2:
            at = int(rng.choice([min(at, at % 1000), max(at, len(content) - 1 - at % 1000)]))
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = use(path)
        except ValueError as error:
            assert path.name in str(error), f"byte {at}: {error}"  # noqa: PT017
            refused += 1
        else:
            assert same(found, right), f"byte {at} is silently wrong"
            alike += 1
    path.write_bytes(content)
    return alike, refused


@pytest.mark.filterwarnings("ignore:.*was (saved|written) by an earlier version")
# H5netcdf closes what it never opened
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_refused_by_name_or_changes_no_number(copy, kind):
    (path,) = copy.glob(kind)
    alike, refused = flip(path, KINDS[kind], flips=30, key=0)
    assert alike + refused == 30
    assert refused > 15


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*was (saved|written) by an earlier version")
# H5netcdf closes what it never opened
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_many_flipped_bits_are_refused_by_name_or_change_no_number(copy, kind):
    (path,) = copy.glob(kind)
    assert sum(flip(path, KINDS[kind], flips=300, key=1)) == 300


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_file_that_was_cut_is_refused_by_name(copy, kind, share):
    (path,) = copy.glob(kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    if kind == "both/sgd/held-*.npz" and share == 0.999:
        return  # the seal has gone, and nothing else: what is held is whole
    try:
        KINDS[kind](path)
    except ValueError as error:
        assert path.name in str(error)  # noqa: PT017
    else:
        assert share == 0.999, "a cut file loads"
        assert path.suffix in (".npz", ".jax"), "a cut file loads"


@pytest.mark.parametrize("length", [0, 1, 999, 1000, 4001, 10_000])
def test_a_checksum_by_several_threads_is_that_of_the_whole(tmp_path, monkeypatch, length):
    monkeypatch.setattr(seals, "PART_BYTES", 1000)
    monkeypatch.setattr(seals, "BLOCK_BYTES", 300)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    content = np.random.default_rng(0).bytes(length)
    files.write_sealed(tmp_path / "file", content)
    assert seals.read_sealed(tmp_path / "file") == content
    assert (tmp_path / "file").read_bytes() == content + seals.make_seal(content)
    with (tmp_path / "file").open("rb") as file:
        assert seals.checksum(file, length) == zlib.crc32(content)


# ---- what is whole, and yet not what its place says ----------------------------------------------


def test_an_edited_number_of_sweep_json_is_refused_and_not_verified(copy, capsys):
    path = copy / "both" / "sgd" / "sweep.json"
    text = path.read_text()
    path.write_text(text.replace('"recipe.l2": 0.5', '"recipe.l2": 0.7'))
    assert path.read_text() != text
    with pytest.raises(
        ValueError, match=r"sgd/sweep.json is damaged or was edited.*: put back the file"
    ):
        ap.load(copy / "both")
    assert commands.verify(copy / "both") == 1
    said = capsys.readouterr().out
    assert "sweep.json is damaged or was edited" in said
    assert said.count("NOT verified") >= 1


def test_an_edited_source_is_refused_where_there_is_no_digest(copy):
    """As in a folder of an earlier version: sources are named by what they hold."""
    path = copy / "both" / "sgd" / "sweep.json"
    found, _ = files.read_json(path)
    (about,) = found["sources"].values()
    about["numbers"]["recipe.l2"] = 0.7
    path.write_text(json.dumps(found | {"format": 1}))
    with pytest.raises(
        ValueError, match=r"sweep.json is damaged, its entry 'sources \w+' is missing or wrong"
    ):
        ap.load(path.parent)


def test_a_digest_that_was_taken_away_is_missed(copy):
    path = copy / "both" / "sgd" / "sweep.json"
    path.write_text(json.dumps(files.read_json(path)[0]))
    with pytest.raises(
        ValueError, match=r"sweep.json is damaged or was edited, its digest is missing"
    ):
        ap.load(path.parent)


def test_folders_of_recipes_that_changed_places_are_refused(copy, capsys):
    both = copy / "both"
    (both / "adam").rename(both / "other")
    (both / "sgd").rename(both / "adam")
    (both / "other").rename(both / "sgd")
    with pytest.raises(
        ValueError, match=r"adam holds the trainings of the recipe 'sgd': call it 'sgd' again"
    ):
        ap.load(both)
    assert commands.verify(both) == 1
    assert "it holds the trainings of the recipe 'adam'" in capsys.readouterr().out


def test_a_folder_of_a_recipe_that_was_renamed_says_how_it_was_called(copy):
    (copy / "both" / "adam").rename(copy / "both" / "other")
    with pytest.raises(
        ValueError, match=r"other holds the trainings of the recipe 'adam': call it 'adam' again"
    ):
        ap.load(copy / "both")


def test_many_files_of_an_earlier_version_are_warned_of_once(tmp_path):
    for name in ("a", "b", "c"):
        result().assign_attrs(approx_format=1).to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")
    with pytest.warns(UserWarning, match="has no checksum") as said:
        loaded = [ap.load(tmp_path / f"{name}.nc") for name in ("a", "b", "c")]
    assert len(said) == 1
    assert all(one.identical(result()) for one in loaded)


def test_a_recipe_that_is_missing_is_named(copy, capsys):
    shutil.rmtree(copy / "both" / "adam")
    with pytest.raises(
        ValueError, match="has nothing of the recipe 'adam': the same command again"
    ):
        ap.load(copy / "both")
    assert commands.verify(copy / "both") == 1
    assert "adam: missing, though" in capsys.readouterr().out
    assert commands.status(copy / "both") == 0
    assert "adam: not begun, or missing" in capsys.readouterr().out


def test_coordinates_of_another_sweep_are_refused(copy):
    sgd, adam = copy / "both" / "sgd", copy / "both" / "adam"
    shutil.copy(adam / "coordinates.nc", sgd / "coordinates.nc")
    with pytest.raises(ValueError, match=r"sgd/coordinates.nc is of another sweep: delete it"):
        ap.load(sgd)
    (sgd / "coordinates.nc").unlink()
    with pytest.raises(
        ValueError, match=r"sgd/coordinates.nc is missing: delete it|coordinates.nc is missing"
    ):
        ap.load(sgd)
    sweep(sgd, "sgd", chunk_count=0)  # as the message says
    assert ap.load(sgd).identical(ap.load(copy.parent / "copy" / "both" / "sgd"))
    assert ap.load(sgd).distance.values.tolist() == [-1, 0, 1, 2]


def test_a_chunk_of_a_newer_format_is_refused(copy):
    path = copy / "both" / "sgd" / "chunk-000000.nc"
    with files.open_netcdf(path) as (opened, _):
        newer = opened.load().assign_attrs(approx_format=description.FORMAT + 1)
    files.write_netcdf(path, newer)
    for use in (ap.load, lambda folder: lazily(folder), chunks.done):
        with pytest.raises(
            ValueError, match=r"chunk-000000.nc has format 3; this version .* reads up to 2: update"
        ):
            use(path.parent)
    assert "has format 3" in verification.verify(path.parent).damaged[0]


def test_missing_trainings_are_not_verified_but_those_that_a_map_did_not_choose(tmp_path, capsys):
    sweep(tmp_path / "x", chunk_count=1)
    found = verification.verify(tmp_path / "x", count=0)
    assert (found.damaged, found.missing, found.fine) == ([], 6, False)
    assert commands.verify(tmp_path / "x", count=0) == 1
    assert "6 trainings missing: the same command again computes them" in capsys.readouterr().out
    with folders.locked(tmp_path / "x"):
        folders.begin(tmp_path / "x", head(), selective=True)
    assert verification.verify(tmp_path / "x", count=0).missing == 0
    sweep(tmp_path / "y")
    assert verification.verify(tmp_path / "y", count=0).fine


def test_a_chunk_whose_contents_changed_under_a_fitting_checksum_is_not_verified(copy):
    path = copy / "both" / "sgd" / "chunk-000000.nc"
    with files.open_netcdf(path) as (opened, _):
        changed = opened.load()
    changed.loss.values[0] += 1
    files.write_netcdf(path, changed)
    assert (
        "chunk-000000.nc is damaged, its contents are not"
        in verification.verify(path.parent, count=0).damaged[0]
    )


@pytest.mark.parametrize("end", ["inputs.npz", "start.jax", "advance.jax"])
@pytest.mark.parametrize("how", ["cut", "text", "empty", "sealed text", "missing"])
def test_verify_names_files_from_which_nothing_can_be_computed(copy, end, how):
    (path,) = (copy / "both" / "sgd").glob(f"*.{end}")
    content = path.read_bytes()
    {
        "cut": lambda: path.write_bytes(content[: len(content) // 3]),
        "text": lambda: path.write_text("neither a program nor arrays"),
        "empty": lambda: path.write_bytes(b""),
        "sealed text": lambda: files.write_sealed(path, b"neither a program nor arrays"),
        "missing": path.unlink,
    }[how]()
    found = verification.verify(path.parent, count=1)
    assert not found.fine
    assert path.name in found.damaged[0]
    assert "the same command" in found.damaged[0]


@pytest.mark.parametrize(
    "entry", ["format", "entries", "axes", "sources", "attributes", "crossed", "created"]
)
def test_an_entry_that_sweep_json_lacks_is_named(copy, entry):
    """Without a digest, as an earlier version wrote it."""
    path = copy / "both" / "sgd" / "sweep.json"
    found = files.read_json(path)[0] | {"format": 1}
    for value in (None, 7.5, *([{"a": [[1, "x"]]}] if entry in ("axes", "sources") else [])):
        path.write_text(json.dumps(found | {entry: value}))
        for use in (ap.load, verification.verify, commands.status):
            with pytest.raises(ValueError, match=r"sweep.json is damaged, its (format|entry)"):
                use(path.parent)
    path.write_text(json.dumps([found]))
    with pytest.raises(ValueError, match=r"sweep.json is damaged: it holds a list"):
        ap.load(path.parent)


def test_the_digest_of_a_chunk_changes_with_any_value_name_and_order():
    marks = {"source": "a", "chunk": "chunk-000000.nc"}
    one = part(np.arange(6)).assign_attrs(marks)
    changed = []
    for name in ("loss", "seed", "training_streams", "prediction", "learning_rate"):
        other = one.copy(deep=True)
        values = other[name].values
        values[[0, 1]] = values[[1, 0]]  # two seeds exchanged
        changed.append(other)
    changed[-1]["learning_rate"].values[-1] *= 1 + 1e-15
    changed.append(one.rename(loss="test_loss", test_loss="loss"))
    changed.append(one.assign_attrs(chunk="chunk-000001.nc"))
    changed.append(one.assign(seed=one.seed.astype(np.int32)))
    found = [chunks.digest(each) for each in (one, *changed)]
    assert len(set(found)) == len(found)
    assert chunks.digest(one.copy(deep=True)) == found[0]


def test_files_of_an_earlier_version_load_with_a_word(made, tmp_path):
    """Format 1: netCDF without seals, digests in chunks only, recipes as a plain list."""
    old = tmp_path / "old"
    shutil.copytree(made / "both", old)
    for path in old.glob("*/*.nc"):
        with files.open_netcdf(path) as (opened, _):
            found = opened.load()
        kept = {
            name: found.attrs[name]
            for name in ("source", "chunk", "digest", "diverged")
            if name in found.attrs
        }
        found.drop_attrs(deep=False).assign_attrs(
            kept | ({"approx_format": 1} if kept else {})
        ).to_netcdf(path, engine="h5netcdf")
    for path in old.glob("*/sweep.json"):
        found = files.read_json(path)[0] | {"format": 1}
        path.write_text(
            json.dumps({name: value for name, value in found.items() if name != "label"})
        )
    (old / "recipes.json").write_text(json.dumps(["sgd", "adam"]))
    with pytest.warns(
        UserWarning, match="written by an earlier version: sweep.json and coordinates.nc have no"
    ) as said:
        loaded = ap.load(old)
    assert {Path(each.filename).name for each in said} == {Path(__file__).name}
    assert loaded.identical(ap.load(made / "both"))
    result().assign_attrs(approx_format=1).to_netcdf(tmp_path / "old.nc", engine="h5netcdf")
    with pytest.warns(
        UserWarning, match=r"old.nc has no checksum, like others of an earlier version"
    ):
        loaded = ap.load(tmp_path / "old.nc")
    assert loaded.identical(result())


def test_a_lazy_array_is_checked_at_once_and_when_it_is_read(copy):
    pytest.importorskip("dask")
    folder = copy / "both" / "sgd"
    path = folder / "chunk-000001.nc"
    content = bytearray(path.read_bytes())
    with files.open_netcdf(path) as (opened, _):
        at = content.index(opened.prediction.values[-1].tobytes())
    lazy = ap.load(folder, lazy=True)
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"chunk-000001.nc is damaged"):
        lazy.prediction.load()
    for options in ({}, {"lazy": True}):
        with pytest.raises(ValueError, match=r"chunk-000001.nc is damaged"):
            ap.load(folder, **options)


# ---- a disk that is full -------------------------------------------------------------------------

FULL = """
import sys
from pathlib import Path
import numpy as np
from approx.disk import chunks, saved
sys.path.insert(0, sys.argv[2])
from test_damage import part, result

room, count = Path(sys.argv[1]), 0
saved.save(result(), room / "small")
large, many = result(11_000), part(np.zeros(11_000, int))
for write in (
    lambda: saved.save(large, room / "large"),
    lambda: chunks.write_chunk(room, many, "a source"),
    lambda: saved.save(large, room / "small"),
):
    try:
        write()
    except OSError as error:
        count += error.errno in FULL_ERRORS
assert sorted(path.name for path in room.iterdir()) == ["small.nc"], [*room.iterdir()]
assert saved.load(room / "small").identical(result())
saved.save(result(7), room / "small")
chunks.write_chunk(room, part(np.arange(6)), "a source")
assert saved.load(room / "small").identical(result(7))
print(f"{count} times full, and it goes on")
"""


@pytest.mark.parametrize("room", [0, 1_000, 1_000_000])
def test_a_file_holds_what_was_written_whether_the_disk_takes_it_or_not(
    room, tmp_path, monkeypatch
):
    """Writes, reads and cuts in any order, as an ordinary file answers them."""
    write_at, left = hdf5_files.write_at, [room]

    def write_while_there_is_room(descriptor, content, place):
        taken = min(len(content), left[0])
        left[0] -= taken
        write_at(descriptor, content[:taken], place)
        if taken < len(content):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(hdf5_files, "write_at", write_while_there_is_room)
    rng = np.random.default_rng(0)
    with (
        hdf5_files.FileForHDF5(tmp_path / "one") as one,
        (tmp_path / "other").open("w+b", buffering=0) as other,
    ):
        for _ in range(300):
            place, many = (int(number) for number in rng.integers(0, 60, 2))
            assert one.seek(place) == other.seek(place)
            do = rng.choice(["write", "write", "read", "truncate"])
            if do == "write":
                content = rng.bytes(many)
                assert one.write(content) == other.write(content)
            elif do == "read":
                assert one.read(many) == other.read(many)
            else:
                assert one.truncate(many) == other.truncate(many)
            assert one.seek(0, os.SEEK_END) == other.seek(0, os.SEEK_END)
        assert (one.error is None) == (room == 1_000_000)


def test_a_disk_without_room_is_met_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(OSError, match="No space left on device") as error:
        ap.save(result(), tmp_path / "small")
    assert error.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(xr.__version__ < "2026", reason="xarray made the file in memory before")
def test_to_save_a_result_takes_hardly_more_memory_than_the_result(tmp_path):
    large = xr.Dataset({f"v{n}": ("point", np.zeros(2**18)) for n in range(16)})
    large.attrs["fingerprint"] = "of nothing"
    ap.save(result(), tmp_path / "small")  # what is imported for it
    tracemalloc.start()
    try:
        ap.save(large, tmp_path / "large")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < large.nbytes / 4


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a quarter of a megabyte."""
    room = tmp_path / "room"
    room.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", room], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system needs the right to mount one: {mounted.stderr.strip()}")
    yield room
    subprocess.run(["umount", room], check=True)


def goes_on(room: Path, before: str = "") -> None:
    """In a process of its own: write until nothing fits, then go on, and end."""
    code = before + FULL.replace("FULL_ERRORS", "(27, 28)")  # EFBIG, ENOSPC
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", code, str(room), str(Path(__file__).parent)]
    ended = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, f"{ended.returncode}: {ended.stderr[-2000:]}"
    assert ended.stdout == "3 times full, and it goes on\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_after_a_full_disk_the_same_process_goes_on(small_disk):
    goes_on(small_disk)


@pytest.mark.slow
def test_after_a_file_that_may_not_grow_the_same_process_goes_on(tmp_path):
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))\n"
    goes_on(tmp_path, limit)
