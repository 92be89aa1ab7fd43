"""Compiled programs are kept on disk, so that the next process need not compile them again.

This module says which file belongs to a program, and turns programs into bytes and back;
`program_files` says where the files lie. Whatever goes wrong, a program is compiled as if there
were no files.

JAX has a persistent cache too, which is not used: it is a setting of the whole process and would
change the user's other programs, it keeps no program that compiled in less than a second unless
another such setting is changed, and it loads no faster.
"""

import hashlib
import os
import platform
import re
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jaxlib
from jax.experimental import serialize_executable

from approx.sweep import program_files

# Settings of the compiler that come from outside the program
ENVIRONMENT = ("XLA_FLAGS", "LIBTPU_INIT_ARGS")
# How the text of a lowered program calls a function of the host; its code is not in the text
CALLS_HOST = re.compile(r"custom_call @\S*callback|is_host_transfer = true")
# Events by which JAX says that its own persistent cache gave a program, or took one
JAX_CACHE_USED = ("/jax/compilation_cache/cache_hits", "/jax/compilation_cache/cache_misses")

_refused: set[Path] = set()  # folders that could not be written to: they are not tried again
_writers: list[threading.Thread] = []  # that are writing a program
_jax_keeps = threading.Event()  # set once JAX's own persistent cache is in use


def compiled(lowered: Any, text: str, options: str, device: Any, calls_host: bool) -> Any:
    """The compiled program: read from the folder if it is there, else compiled and kept.

    The file is written in the background, and the process does not end before it is written.
    Nothing is kept where JAX's own persistent cache is in use.

    Args:
        lowered: the lowered program, or `traced_before.Unlowered`.
        text: digest of the lowered program's text.
        options: of the compiler, in words.
        device: the JAX device that the program is for.
        calls_host: whether the program calls Python functions; such a program is never kept.
    """
    place = program_files.trusted_folder()
    if place is None or calls_host:
        return lowered.compile()
    path = place / f"{name_of(text, options, device)}{program_files.SUFFIX}"
    found = recall(path, lowered, device)
    if found is not None:
        return found
    found = lowered.compile()
    if may_keep(place):
        in_background(keep, path, lowered, found)
    return found


def recall(path: Path, lowered: Any, device: Any) -> Any:
    """The program that a file holds; None if there is no file.

    A file that cannot be read or loaded is removed, and gives None too.
    """
    try:
        payload = program_files.read(path)
        found = serialize_executable.deserialize_and_load(
            payload,
            lowered.in_tree,
            lowered.out_tree,
            backend=device.client,
            execution_devices=[device],
        )
    except FileNotFoundError:
        return None
    except Exception:  # pickle, zlib, JAX and XLA raise errors of many kinds
        program_files.remove(path)
        return None
    program_files.touch(path)
    return found


# ---- which file it is ----------------------------------------------------------------------------


def name_of(text: str, options: str, device: Any) -> str:
    """The sha256 of everything that the compiled program depends on.

    Args:
        text: digest of the lowered program's text.
        options: of the compiler, in words.
        device: the JAX device. Its index counts, as JAX loads a program to the device that it was
            compiled for, and to no other.
    """
    parts = {
        "format": program_files.FORMAT,
        "text": text,
        "options": options,
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "settings": sorted((name, str(value)) for name, value in jax.config.values.items()),
        "environment": [os.environ.get(name, "") for name in ENVIRONMENT],
        "device": describe(device),
        "machine": machine(),
        "cores": cores(),
    }
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def describe(device: Any) -> list[str]:
    """What is known of a device: its platform, kind, driver, size and index."""
    size = [str(getattr(device, name, "")) for name in ("core_count", "compute_capability")]
    client = device.client
    return [client.platform, client.platform_version, device.device_kind, *size, str(device.id)]


@lru_cache
def machine() -> str:
    """The processor's model and all its instruction sets: compiled code runs on no lesser one.

    Where the system does not say, the name of the machine stands for them.
    """
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    told = re.compile(r"vendor_id|cpu family|model|stepping|flags|Features|CPU [a-z]+")
    return "\n".join(sorted({line for line in info.splitlines() if told.match(line)}))


def cores() -> int:
    """Cores that this process may use: XLA divides the work of a program among as many."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# ---- writing -------------------------------------------------------------------------------------


def note(event: str, **_: Any) -> None:
    """Note that JAX's own persistent cache is in use: from then on no program is kept here.

    XLA serialises a program that comes from that cache without its machine code, and what is loaded
    from this fails when it runs ("Function ... not found", JAX 0.12). The note is for all threads,
    since one may get from JAX what another has found in that cache.
    """
    if event in JAX_CACHE_USED:
        _jax_keeps.set()


jax.monitoring.register_event_listener(note)


def may_keep(place: Path) -> bool:
    """Whether files are written to a folder: it has not failed, and JAX keeps none itself."""
    return not _jax_keeps.is_set() and place not in _refused


def in_background(work: Callable[..., None], *given: Any) -> None:
    """Write a file while the caller goes on; a compiled program takes 15 to 20 ms."""
    writer = threading.Thread(target=work, args=given, name="approx cache")
    _writers[:] = [each for each in _writers if each.is_alive()]
    try:
        writer.start()
    except RuntimeError:  # the interpreter is ending, or the system has no more threads
        return
    _writers.append(writer)


def finish() -> None:
    """Wait until all programs of this process are written."""
    for writer in list(_writers):
        writer.join()


def keep(path: Path, lowered: Any, program: Any) -> None:
    """Write a program to its file if it can be kept."""
    if CALLS_HOST.search(lowered.as_text()):
        return
    try:
        payload, _, _ = serialize_executable.serialize(program)
    except Exception:  # this device or program cannot be serialised: JAX has many ways to say so
        return
    store(path, payload)


def store(path: Path, payload: bytes) -> None:
    """Write a file, and remove those that were used least recently."""
    try:
        program_files.make_folder(path.parent)
        program_files.write(path, payload)
        program_files.make_room(path.parent)
    except OSError as error:
        _refused.add(path.parent)
        program_files.complain_of(path.parent, str(error))
