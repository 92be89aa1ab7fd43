"""Promise: an accelerator's form and lanes come from measurements; where there are none, run says
so.
"""

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from scipy.interpolate import BSpline
from scripts import script

import approx as ap
from approx.sweep import choice, devices, driver, facts, measurements, programs, room
from experiments.benchmark import kan

SQUARE = ap.tasks.square()
RECIPE = ap.Recipe(model=ap.MLP((10,), "tanh"), steps=5)
TIMES = {("vmap", 512): 100.0, ("vmap", 4096): 20.0, ("lanes", 512): 30.0, ("lanes", 4096): 5.2}
TIMES |= {("lanes", 32_768): 5.0, ("columns", 4096): 1.0}
SMALL = [
    measurements.Measured("P1", 31, 21, form, lanes, ns) for (form, lanes), ns in TIMES.items()
]
LARGE = [measurements.Measured("P5", 314_000, 256, "vmap", 64, 1e6)]


class Device:
    """An accelerator that is not there: it has a name and a memory."""

    platform = "gpu"
    device_kind = "a test's device"

    def __init__(self, limit=None, used=0):
        self.told = None if limit is None else {"bytes_limit": limit, "bytes_in_use": used}

    def memory_stats(self):
        return self.told


@pytest.fixture
def device(tmp_path, monkeypatch):
    """One such device is this machine's, and the cache folder is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(measurements.sys, "platform", "linux")
    monkeypatch.setattr(jax, "local_devices", lambda: [Device()])
    measurements.known.cache_clear()
    yield Device()
    measurements.known.cache_clear()


def test_the_choice_is_the_smallest_block_that_is_nearly_the_fastest():
    chosen = measurements.best(SMALL, ["vmap", "lanes"])
    assert (chosen.form, chosen.lanes) == ("lanes", 4096)  # 5.2 is within a tenth of 5.0
    assert measurements.best(SMALL, ["vmap"]).lanes == 4096
    assert measurements.best(SMALL, ["vmap", "columns"]).form == "columns"
    assert measurements.best(SMALL, []) is None


def test_the_nearest_case_decides_and_a_far_one_says_nothing():
    every = [*SMALL, *LARGE]
    assert {each.case for each in measurements.nearest(every, 100, 32)} == {"P1"}
    assert {each.case for each in measurements.nearest(every, 100_000, 256)} == {"P5"}
    assert measurements.nearest(every, 4_000, 32) == []  # over ten times from either


def test_a_table_is_written_read_and_used(device):
    task, recipe = SQUARE, RECIPE
    found = facts.find(task, recipe)
    assert choice.choose_lanes(found) == choice.GUESSED_LANES
    assert choice.choose_form(None, found, 64) == "vmap"
    assert "never measured" in choice.remark(device)
    assert "make accelerator" in choice.remark(device)

    measurements.write(measurements.users_table(), device.device_kind, SMALL, {"jax": "1"})
    pair = (recipe.model.init, recipe.model.apply)  # functions of one's own have no other form
    of_a_pair = facts.find(task, replace(recipe, model=pair))
    assert choice.choose_lanes(of_a_pair) == 4096
    assert choice.choose_form(None, of_a_pair, 64) == "vmap"
    assert choice.choose_form(None, found, 64) == "columns"
    assert choice.remark(device) == ""

    measurements.write(measurements.users_table(), "another device", LARGE, {})
    assert set(measurements.read(measurements.users_table())) == {
        device.device_kind,
        "another device",
    }


def test_a_damaged_table_is_named(device):
    path = measurements.users_table()
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1, "devices": {"a test\'s device": {"measured": [{"case": 3}]}}}')
    with pytest.raises(ValueError, match=r"accelerators\.json is not a table of measured devices"):
        choice.choose_lanes(facts.find(SQUARE, RECIPE))
    path.write_text('{"format": 99, "devices": {}}')
    with pytest.raises(ValueError, match="has format 99"):
        measurements.read(path)


def test_a_block_that_the_device_cannot_hold_is_refused_with_lanes_that_fit():
    plan = type("Plan", (), {"lanes": 1000})
    block = type("Block", (), {"bytes": 8_000_000_000})

    def ready(device):
        return programs.Ready({device: block}, None, 0, [device])

    with pytest.raises(
        MemoryError, match=r"1,000 networks needs 8 GB .* 4 GB are free .* lanes=450"
    ):
        room.check_device_memory(plan, ready(Device(limit=5_000_000_000, used=1_000_000_000)))
    for enough in (Device(limit=10_000_000_000), Device()):
        room.check_device_memory(plan, ready(enough))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("RESOURCE_EXHAUSTED: out of memory", MemoryError),
        ("INTERNAL: a bug", jax.errors.JaxRuntimeError),
    ],
)
def test_a_compiler_without_memory_is_met_with_a_remedy(said, kind):
    class Lowered:
        def compile(self):
            raise jax.errors.JaxRuntimeError(said)

    with pytest.raises(kind, match=said.split(":")[0]) as refused:
        programs.compiled(Lowered(), programs.Found(said, "", None, None, None))
    assert ("lanes=" in str(refused.value)) == (kind is MemoryError)


def test_the_announcement_says_that_nothing_was_measured(device):
    found = facts.find(SQUARE, RECIPE)
    plan = SimpleNamespace(lanes=4, recipe=RECIPE, trainings=8, facts=found)
    ready = programs.Ready({device: type("Block", (), {"bytes": 10})}, None, 80, [device])
    said = driver.announcement(plan, 8, ready, devices.Cost(1.0, 0.5, 1))
    assert "a test's device was never measured" in said
    assert said.startswith(
        "8 trainings of 5 steps, 2 blocks of 4 lanes on 1 device: 80 B of results"
    )


def test_the_splines_of_the_benchmark_are_scipys():
    x = np.linspace(-1, 0.999, 50)
    ours = kan.splines(jax.numpy.asarray(x), 3, 3)
    theirs = BSpline.design_matrix(x, np.array(kan.knots(3, 3)), 3).toarray()
    np.testing.assert_allclose(ours, theirs, atol=5e-7)  # float32


def test_the_measurement_ends_in_words_where_there_is_no_accelerator(tmp_path):
    accelerator = script("experiments", "accelerator")
    with pytest.raises(SystemExit, match="sees no accelerator"):
        accelerator.main(json_file=tmp_path / "a.json")


def test_what_comes_first_is_measured_first():
    order = script("experiments/benchmark", "device").to_measure(("P3", "P1"), (16, 8))
    assert order[:3] == [("P1", "vmap", 16), ("P1", "columns", 16), ("P1", "lanes", 16)]
    assert [name for name, _, count in order if count == 16][-1] == "P3"
    assert order[-1] == ("P3", "naive", 8)


def test_the_clock_that_ends_the_process_stops_with_the_work(tmp_path):
    accelerator = script("experiments", "accelerator")
    report = accelerator.Report(tmp_path / "a.json", 60.0, {})

    def clocks():
        return [each for each in threading.enumerate() if isinstance(each, threading.Timer)]

    before = clocks()
    with report.watched(lambda: None):
        (clock,) = set(clocks()) - set(before)
    clock.join(10)
    assert clocks() == before


@pytest.mark.slow
def test_the_whole_way_on_a_cpu(tmp_path, device, monkeypatch):
    monkeypatch.undo()  # the real devices, for the run
    accelerator = script("experiments", "accelerator")
    path = tmp_path / "accelerator.json"
    accelerator.main(minutes=20, json_file=path, cases=("P1", "P7"), quick=True)
    found = json.loads(path.read_text())
    assert {row["promise"] for row in found["checks"]} == set(accelerator.PROMISES)
    assert not [row for row in found["checks"] if row["held"] is False]
    measured = {(row["case"], row["form"]) for row in found["times"]}
    assert measured >= {("P1", "lanes"), ("P1", "naive"), ("P7", "vmap"), ("P7", "naive")}
    assert all(0 < row["least"] <= row["ns"] <= row["most"] for row in found["times"])
    assert "| P1 | lanes | 16 |" in path.with_suffix(".md").read_text()
