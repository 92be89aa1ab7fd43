"""Promise: a program from disk gives the bits of one compiled now, and no folder stops a run."""

import errno
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import digest, no_programs_of_jax
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

import approx as ap
from approx import commands
from approx.sweep import kept_programs, measurements, program_files, programs

ROOT = Path(__file__).parents[1]
NOBODY = 65534  # a user without rights, on Linux


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for programs, in a process that has compiled none and has complained of nothing."""
    folder = tmp_path / "programs"
    monkeypatch.setenv("APPROX_CACHE", str(folder))
    monkeypatch.setattr(program_files, "_complaints", set())
    monkeypatch.setattr(kept_programs, "_refused", set())
    monkeypatch.setattr(kept_programs, "_jax_keeps", threading.Event())
    forget(monkeypatch)
    with no_programs_of_jax():
        yield folder
        kept_programs.finish()


def forget(monkeypatch):
    """No program is in memory any more, as in a new process."""
    monkeypatch.setattr(programs, "_built", {})
    monkeypatch.setattr(programs, "_compiled", {})


def lowered(factor=2.0):
    """A small program, lowered: the sine of four numbers times a factor."""
    return jax.jit(lambda x: factor * jnp.sin(x)).lower(jax.ShapeDtypeStruct((4,), jnp.float32))


class Once:
    """A lowered program that counts how often it is compiled."""

    def __init__(self, program):
        self.program, self.compilations = program, 0
        self.in_tree, self.out_tree = program.in_tree, program.out_tree
        self.as_text = program.as_text

    def compile(self):
        self.compilations += 1
        return self.program.compile()


def ask(factor=2.0, calls_host=False):
    """Ask for the small program, check what it computes; whether it had to be compiled."""
    program = Once(lowered(factor))
    text = hashlib.sha256(program.as_text().encode()).hexdigest()
    device = jax.local_devices()[0]
    found = kept_programs.compiled(program, text, "[]", device, calls_host)
    kept_programs.finish()
    x = np.arange(4, dtype=np.float32)
    np.testing.assert_allclose(found(x), factor * np.sin(x), rtol=1e-6)
    return bool(program.compilations)


def files(folder):
    """Everything in a folder, hidden files too."""
    return sorted(folder.rglob("*")) if folder.exists() else []


# ---- bits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["lanes", *(pytest.param(form, marks=pytest.mark.slow) for form in ("vmap", "columns"))]
)
def test_a_program_from_disk_gives_the_bits_of_one_compiled_now(form, place, monkeypatch):
    recipe = ap.Recipe(model=ap.MLP((5,), "tanh"), optimizer="adam", learning_rate=0.03, steps=37)
    asked = {"seeds": 11, "lanes": 8, "form": form, "progress": False}
    compiled = ap.run(ap.tasks.square(range=1.0), recipe, **asked)
    kept_programs.finish()
    written = {path: path.read_bytes() for path in files(place)}
    assert len(list(place.glob("*.program"))) == 4  # look, draw, start and advance
    forget(monkeypatch)
    found = []

    def recall(*given):
        found.append(original(*given))
        return found[-1]

    original = kept_programs.recall
    monkeypatch.setattr(kept_programs, "recall", recall)
    again = ap.run(ap.tasks.square(range=1.0), recipe, **asked)
    assert len(found) == 4
    assert None not in found
    assert digest(again) == digest(compiled)
    assert again.fingerprint == compiled.fingerprint
    assert {path: path.read_bytes() for path in files(place)} == written


SCRIPT = """
import hashlib, json, sys
import approx as ap
from approx.sweep import kept_programs
original, found = kept_programs.recall, []
kept_programs.recall = lambda *given: found.append(original(*given)) or found[-1]
options = {"xla_backend_optimization_level": 0}
runs = ap.run(ap.tasks.square(range=1.0), ap.Recipe(model=ap.MLP((3,), "tanh"), steps=20), seeds=5,
              lanes=4, form="vmap", progress=False, compiler_options=options)
bits = hashlib.sha256(runs.loss.values.tobytes() + runs.prediction.values.tobytes()).hexdigest()
print(json.dumps({"bits": bits, "from disk": sum(one is not None for one in found)}))
"""


def begin(place):
    """A process that trains a few networks."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    own |= {"APPROX_CACHE": str(place), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=own, text=True, **pipes)


def end(process):
    """What the process has printed; it must not have written an error or a warning."""
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert errors == ""
    return json.loads(said)


@pytest.mark.slow  # three processes
def test_two_processes_at_once_and_one_after_them_agree(tmp_path):
    place = tmp_path / "programs"
    first, second = [end(process) for process in [begin(place), begin(place)]]
    assert len(list(place.glob("*.program"))) == len(list(place.glob("*.trace"))) == 4
    assert len(files(place)) == 8  # and nothing unfinished
    third = end(begin(place))
    assert third["from disk"] == 4
    assert first["bits"] == second["bits"] == third["bits"]


def test_readers_writers_and_those_who_make_room_never_meet_half_a_file(place, monkeypatch):
    monkeypatch.setenv("APPROX_CACHE_GB", "4e-5")
    program_files.make_folder(place)
    rng = np.random.default_rng(0)
    payloads = {f"{n}.program": rng.bytes(20_000) for n in range(4)}
    wrong = []

    def work(seed):
        for name in np.random.default_rng(seed).choice(list(payloads), 60):
            try:
                program_files.write(place / name, payloads[name])
                program_files.make_room(place)
            except Exception as error:
                wrong.append(error)
            try:
                if program_files.read(place / name) != payloads[name]:
                    wrong.append(name)
            except FileNotFoundError:  # another one has made room
                continue
            except Exception as error:
                wrong.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
    assert not [path for path in files(place) if path.name.startswith(".")]


# ---- what makes another program ------------------------------------------------------------------


CHANGES = {
    "text": lambda patch: {"text": "other"},
    "options": lambda patch: {"options": "other"},
    "format": lambda patch: patch.setattr(program_files, "FORMAT", 99),
    "jax": lambda patch: patch.setattr(jax, "__version__", "99"),
    "jaxlib": lambda patch: patch.setattr(kept_programs.jaxlib, "__version__", "99"),
    "flags": lambda patch: patch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2"),
    "processor": lambda patch: patch.setattr(kept_programs, "machine", lambda: "another"),
    "cores": lambda patch: patch.setattr(kept_programs, "cores", lambda: 999),
    "kind": lambda patch: {"device": stand_in(device_kind="another")},
    "index": lambda patch: {"device": stand_in(id=7)},
    "driver": lambda patch: {"device": stand_in(client=client(platform_version="another"))},
}


def client(**changed):
    """A client that differs from this device's in what is named."""
    own = jax.local_devices()[0].client
    told = {"platform": own.platform, "platform_version": own.platform_version}
    return SimpleNamespace(**(told | changed))


def stand_in(**changed):
    """A device that differs from this one in what is named."""
    own = jax.local_devices()[0]
    told = {"device_kind": own.device_kind, "id": own.id, "client": client()}
    return SimpleNamespace(**(told | changed))


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_compiled_program_depends_on_is_in_its_name(change, monkeypatch):
    given = {"text": "a", "options": "b", "device": stand_in()}
    before = kept_programs.name_of(**given)
    assert before == kept_programs.name_of("a", "b", jax.local_devices()[0])
    changed = CHANGES[change](monkeypatch) or {}
    assert kept_programs.name_of(**(given | changed)) != before


def test_a_setting_of_jax_is_in_the_name():
    device = jax.local_devices()[0]
    before, was = kept_programs.name_of("a", "b", device), jax.config.jax_memory_fitting_level
    try:
        jax.config.update("jax_memory_fitting_level", "O1")
        assert kept_programs.name_of("a", "b", device) != before
    finally:
        jax.config.update("jax_memory_fitting_level", was)


def test_a_program_of_another_processor_is_left_alone(place, monkeypatch):
    assert ask()
    assert not ask()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(kept_programs, "machine", lambda: "another")
        assert ask()
    assert not ask()
    assert len(files(place)) == 2


def test_the_machine_is_described_by_its_instruction_sets():
    if not Path("/proc/cpuinfo").exists():
        pytest.skip("the system does not say")
    info = Path("/proc/cpuinfo").read_text()
    flags = next(line for line in info.splitlines() if line.startswith(("flags", "Features")))
    assert flags in kept_programs.machine()
    assert "MHz" not in kept_programs.machine()  # which changes from one look to the next


# ---- damage --------------------------------------------------------------------------------------


def flipped(content):
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


def other_program(content):
    """A whole file, but of a program that JAX cannot load."""
    path = Path(other_program.name)
    packed = program_files.zlib.compress(b"no program")
    return program_files.HEAD + program_files.checksum(path, packed) + packed


DAMAGE = {
    "a flipped bit": flipped,
    "half of it": lambda content: content[: len(content) // 2],
    "nothing": lambda content: b"",
    "another format": lambda content: content.replace(b"program 1", b"program 0", 1),
    "not a program": other_program,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_program_is_compiled_anew_and_replaced(damage, place):
    assert ask()
    (path,) = files(place)
    whole = path.read_bytes()
    other_program.name = path.name
    path.write_bytes(DAMAGE[damage](whole))
    assert ask()
    assert program_files.read(path)
    assert not ask()


def test_a_damaged_program_that_cannot_be_replaced_is_removed(place, monkeypatch):
    assert ask()
    (path,) = files(place)
    path.write_bytes(b"damage")
    monkeypatch.setattr(kept_programs, "keep", lambda *_: None)
    assert ask()
    assert not files(place)


def test_a_file_under_another_name_is_not_taken(place):
    assert ask(2.0)
    (two,) = files(place)
    assert ask(3.0)
    three = next(path for path in files(place) if path != two)
    three.write_bytes(two.read_bytes())
    assert ask(3.0)


# ---- folders that cannot be written to -----------------------------------------------------------


@contextmanager
def without_rights():
    """This process is nobody for a while, if it may write everywhere; else it is who it is."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def home():
    """A home folder that everybody may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def use_home(monkeypatch, home):
    """Let the default folder lie in a home."""
    monkeypatch.setenv("HOME", str(home))
    for name in ("APPROX_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_programs_lie_in_the_users_cache_folder_and_belong_to_the_user_alone(
    place, home, monkeypatch
):
    use_home(monkeypatch, home)
    assert ask()
    (path,) = [path for path in files(home) if path.is_file()]
    assert path.parent == measurements.cache_folder() / "programs"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert path.stat().st_mode & 0o077 == 0
    assert not ask()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are those of POSIX")
def test_a_read_only_home_is_met_with_one_warning_and_nothing_is_left_there(
    place, home, monkeypatch
):
    use_home(monkeypatch, home)
    home.chmod(0o555)
    with without_rights():
        with pytest.warns(UserWarning, match="are not kept between processes in .*denied"):
            assert ask()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert ask(3.0)
    assert files(home) == []


def test_a_home_that_does_not_exist_is_not_made(place, tmp_path, monkeypatch):
    use_home(monkeypatch, tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="there is no folder .*nowhere"):
        assert ask()
    assert not (tmp_path / "nowhere").exists()


def test_a_user_without_a_home_is_met_with_a_warning(place, monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("APPROX_CACHE", "")
    monkeypatch.setattr(measurements, "cache_folder", unknown)
    with pytest.warns(UserWarning, match="Could not determine home"):
        assert ask()


def test_a_file_in_place_of_the_folder_is_met_with_a_warning(place):
    place.write_text("mine")
    with pytest.warns(UserWarning, match="are not kept"):
        assert ask()
    assert place.read_text() == "mine"


def test_a_full_disk_is_met_with_one_warning_and_leaves_no_piece(place, monkeypatch):
    tries = []

    class Full(io.FileIO):
        def write(self, content):
            tries.append(len(content))
            super().write(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    def full(descriptor, mode):
        assert mode == "wb"
        return Full(descriptor, mode)

    with monkeypatch.context() as disk:
        disk.setattr(program_files, "open", full, raising=False)
        with pytest.warns(UserWarning, match="No space left"):
            assert ask()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert ask(3.0)
    assert len(tries) == 1
    assert files(place) == []


def test_a_program_in_a_folder_that_has_become_read_only_is_still_used(place, monkeypatch):
    assert ask()
    (path,) = files(place)

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(program_files.os, "utime", refused)
    assert not ask()
    assert path.exists()


# ---- whose programs are read ---------------------------------------------------------------------


class Evil:
    """What runs a command as soon as it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def plant(place, mark):
    """Put a pickle that makes a file in place of the program."""
    assert ask()
    (path,) = files(place)
    packed = program_files.zlib.compress(pickle.dumps(Evil(mark)))
    path.write_bytes(program_files.HEAD + program_files.checksum(path, packed) + packed)
    return path


needs_rights = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are those of POSIX")


@needs_rights
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_nothing_is_read_from_a_folder_that_others_can_write_to(mode, place, tmp_path):
    path = plant(place, tmp_path / "mark")
    place.chmod(mode)
    content = path.read_bytes()
    with pytest.warns(UserWarning, match="other users can write to it"):
        assert ask()
    assert not (tmp_path / "mark").exists()
    assert path.read_bytes() == content  # nor is anything written


@needs_rights
def test_nothing_is_read_from_a_folder_of_another_user(place, tmp_path, monkeypatch):
    plant(place, tmp_path / "mark")
    other = os.geteuid() + 1
    monkeypatch.setattr(program_files.os, "geteuid", lambda: other)
    with pytest.warns(UserWarning, match="it belongs to another user"):
        assert ask()
    assert not (tmp_path / "mark").exists()


@needs_rights
def test_a_file_that_others_can_write_to_is_replaced_unread(place, tmp_path):
    path = plant(place, tmp_path / "mark")
    path.chmod(0o666)
    assert ask()
    assert not (tmp_path / "mark").exists()
    assert path.stat().st_mode & 0o077 == 0
    assert not ask()


@needs_rights
def test_a_link_to_another_file_is_not_followed(place, tmp_path):
    path = plant(place, tmp_path / "mark")
    path.rename(tmp_path / path.name)
    path.symlink_to(tmp_path / path.name)
    assert ask()
    assert not (tmp_path / "mark").exists()
    assert path.is_file()
    assert not path.is_symlink()


# ---- what is not kept ----------------------------------------------------------------------------


def test_off_is_off(place, monkeypatch):
    assert ask()
    monkeypatch.setenv("APPROX_CACHE", "OFF")
    assert ask()
    assert ask(3.0)
    assert len(files(place)) == 1


@pytest.mark.slow  # the next test sees such a call
def test_a_program_that_calls_the_host_is_never_kept(place, monkeypatch):
    shape = jax.ShapeDtypeStruct((), np.float32)

    def at_zero(params, predict):
        value = predict(jnp.zeros((1, 1)))[0, 0]
        return jax.pure_callback(np.sin, shape, value, vmap_method="broadcast_all")

    recipe = ap.Recipe(model=ap.MLP((2,), "tanh"), steps=3)
    asked: dict[str, Any] = {"seeds": 2, "lanes": 2, "form": "vmap", "progress": False}
    asked["compiler_options"] = {"xla_backend_optimization_level": 0}
    metrics = {"at_zero": at_zero}
    task = ap.tasks.square(range=1.0)
    first = ap.run(task, recipe, metrics=metrics, **asked)
    kept_programs.finish()
    kept = len(files(place))
    forget(monkeypatch)
    again = ap.run(task, recipe, metrics=metrics, **asked)
    np.testing.assert_array_equal(first.at_zero, again.at_zero)
    assert len(files(place)) == kept

    # Without the metric the program that trains is kept too
    other = place.with_name("of plain runs")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("APPROX_CACHE", str(other))
        forget(elsewhere)
        ap.run(task, recipe, **asked)
        kept_programs.finish()
    assert kept == len(files(other)) - 1
    assert ask(4.0, calls_host=True)
    assert ask(4.0, calls_host=True)


def test_a_call_of_the_host_is_seen_in_a_program_that_conceals_it(place):
    """`jax.debug.print` is no callback in JAX's list of operations, but it is one in the text."""

    def printing(x):
        jax.debug.print("{}", x)
        return x

    text = jax.jit(printing).lower(1.0).as_text()
    assert kept_programs.CALLS_HOST.search(text)
    assert not kept_programs.CALLS_HOST.search(lowered().as_text())


def test_a_program_that_cannot_be_serialised_is_used_all_the_same(place, monkeypatch):
    def refuse(program):
        raise ValueError("Compilation does not support serialization")

    monkeypatch.setattr(serialize_executable, "serialize", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask()
    assert files(place) == []


def test_nothing_is_kept_where_jax_keeps_programs_itself(place, tmp_path):
    """What comes from JAX's cache is serialised without its code, and fails when it runs."""
    was = (
        jax.config.jax_compilation_cache_dir,
        jax.config.jax_persistent_cache_min_compile_time_secs,
    )
    try:
        jax.config.update("jax_enable_compilation_cache", True)
        jax.config.update("jax_compilation_cache_dir", str(tmp_path / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        compilation_cache.reset_cache()
        assert ask()
        jax.clear_caches()
        assert ask()
    finally:
        jax.config.update("jax_compilation_cache_dir", was[0])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", was[1])
    assert files(tmp_path / "jax")
    assert files(place) == []


# ---- size, and the command -----------------------------------------------------------------------


def test_the_programs_used_least_recently_go_first(place, monkeypatch):
    paths = {}
    for age, factor in enumerate([5.0, 6.0, 7.0]):
        before = set(files(place))
        assert ask(factor)
        (paths[factor],) = set(files(place)) - before
        os.utime(paths[factor], (1e9 + age, 1e9 + age))
    assert not ask(5.0)  # which is the newest now
    size = max(path.stat().st_size for path in paths.values())
    monkeypatch.setenv("APPROX_CACHE_GB", str(3.5 * size / 1e9))
    assert ask(8.0)
    assert not paths[6.0].exists()
    assert paths[5.0].exists()
    assert paths[7.0].exists()
    assert sum(path.stat().st_size for path in files(place)) <= program_files.limit()


def test_unfinished_files_of_killed_processes_go_in_the_end(place):
    assert ask()
    (path,) = files(place)
    old, new = place / ".old.program", place / ".new.program"
    for unfinished in (old, new):
        unfinished.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    (place / "notes.txt").write_text("mine")
    program_files.make_room(place)
    assert files(place) == sorted([path, new, place / "notes.txt"])


def test_a_size_that_is_no_number_is_met_with_a_warning(place, monkeypatch):
    monkeypatch.setenv("APPROX_CACHE_GB", "lots")
    with pytest.warns(UserWarning, match="APPROX_CACHE_GB=lots is no number"):
        assert program_files.limit() == 1e9


def test_the_command_shows_and_clears(place, monkeypatch, capsys):
    assert commands.cache() == 0
    assert "0 programs" in capsys.readouterr().out
    assert ask(2.0)
    assert ask(3.0)
    (place / "notes.txt").write_text("mine")
    assert commands.cache() == 0
    said = capsys.readouterr().out
    assert f"{place}: 2 programs, 0." in said
    assert "of at most 1 GB" in said
    assert "the oldest was last used" in said
    assert not ask(2.0)
    assert commands.cache(clear=True) == 0
    assert "2 programs removed" in capsys.readouterr().out
    assert files(place) == [place / "notes.txt"]
    monkeypatch.setenv("APPROX_CACHE", "off")
    assert commands.cache(clear=True) == 0
    assert "off" in capsys.readouterr().out


def test_a_program_that_two_threads_ask_for_is_compiled_once(monkeypatch):
    made = []

    def slowly(lowered, key):
        made.append(key)
        time.sleep(0.2)
        return object()

    monkeypatch.setattr(programs, "newly_compiled", slowly)
    monkeypatch.setattr(programs, "_compiled", {})
    with ThreadPoolExecutor(3) as pool:
        one, other, third = pool.map(programs.compiled, (None,) * 3, ("a", "a", "b"))
    assert one is other
    assert third is not one
    assert sorted(made) == ["a", "b"]
