"""The files in which compiled programs are kept, and the folder in which they lie.

The folder is `programs` in the user's cache folder. The environment variable `APPROX_CACHE` names
another one, or is `off`; `APPROX_CACHE_GB` says how large the folder may become.
"""

import hashlib
import os
import time
import uuid
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

from approx.sweep import measurements

FORMAT = 1  # of the files
HEAD = f"approx program {FORMAT}\n".encode()  # the first bytes of every file
CHECKSUM = 32  # bytes that follow the head: the sha256 of the file's name and of all that follows
SUFFIX = ".program"
TRACE = ".trace"  # of files that say what is known of a program before it is traced
GIGABYTES = 1.0  # that the folder may hold, unless APPROX_CACHE_GB says otherwise
ABANDONED = 3600.0  # seconds after which an unfinished file belongs to a process that was killed
MADE = 3  # folders that are made where they are missing, as in ~/.cache/approx/programs

_complaints: set[str] = set()  # that were made in this process


class Entry(NamedTuple):
    """The file of one program: its path, its bytes, and when it was last used (seconds)."""

    path: Path
    size: int
    used: float


# ---- the folder ----------------------------------------------------------------------------------


def folder() -> Path | None:
    """The folder of compiled programs, which need not exist; None if APPROX_CACHE is `off`.

    Raises:
        FileNotFoundError: the user has no home folder.
    """
    asked = os.environ.get("APPROX_CACHE", "")
    if asked.lower() == "off":
        return None
    try:
        place = Path(asked).expanduser() if asked else measurements.cache_folder() / "programs"
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from error
    return place.absolute()


def limit() -> float:
    """Bytes that the folder may hold."""
    asked = os.environ.get("APPROX_CACHE_GB", "")
    try:
        return float(asked or GIGABYTES) * 1e9
    except ValueError:
        complain(f"APPROX_CACHE_GB={asked} is no number of gigabytes: {GIGABYTES:g} is taken")
        return GIGABYTES * 1e9


def trusted_folder() -> Path | None:
    """The folder of compiled programs, unless it is switched off or others can write to it.

    JAX reads programs with pickle, which runs what a file tells it to: so files count only if
    nobody but this user can have written them.
    """
    try:
        place = folder()
    except FileNotFoundError as error:
        complain(f"compiled programs are not kept between processes: {error}")
        return None
    if place is None:
        return None
    try:
        objection = distrust(place.stat())
    except FileNotFoundError:
        return place  # it will be made for the first program
    except OSError as error:
        objection = str(error)
    if objection:
        complain_of(place, objection)
        return None
    return place


def distrust(status: os.stat_result) -> str:
    """Why a file or folder may hold what another user has written; empty if it cannot."""
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    if status.st_mode & 0o022:
        return "other users can write to it"
    return ""


def make_folder(place: Path) -> None:
    """Make the folder for this user alone, and those that it lies in, but no home folder.

    Raises:
        OSError: it cannot be made.
    """
    home = place.parents[:MADE][-1]
    if not home.is_dir():
        raise FileNotFoundError(f"there is no folder {home}")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)


def complain_of(place: Path, reason: str) -> None:
    """Warn that a folder is not used, once in a process."""
    complain(
        f"compiled programs are not kept between processes in {place}: {reason}. "
        "APPROX_CACHE=FOLDER keeps them elsewhere, APPROX_CACHE=off keeps none"
    )


def complain(text: str) -> None:
    """Warn, once in a process."""
    if text not in _complaints:
        _complaints.add(text)
        warnings.warn(text, stacklevel=2)


# ---- the files -----------------------------------------------------------------------------------


def read(path: Path) -> bytes:
    """The program in a file, as `serialize` gave it.

    Raises:
        OSError: there is no file, or it cannot be read.
        ValueError: the file is damaged, or other users can have written it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        objection = distrust(os.fstat(file.fileno()))
        if objection:
            raise ValueError(f"{path}: {objection}")
        content = file.read()
    start = len(HEAD) + CHECKSUM
    packed = content[start:]
    if content[:start] != HEAD + checksum(path, packed):
        raise ValueError(f"{path} is damaged")
    return zlib.decompress(packed)


def checksum(path: Path, packed: bytes) -> bytes:
    """The sha256 of a file's name and of the compressed program in it."""
    return hashlib.sha256(path.name.encode() + packed).digest()


def write(path: Path, payload: bytes) -> None:
    """Write a file under another name and rename it, so that no process reads half of it.

    It is not forced to the disk: what a crash of the machine leaves of it fails the checksum.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    packed = zlib.compress(payload, 1)
    unfinished = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(HEAD + checksum(path, packed) + packed)
        os.replace(unfinished, path)
    except OSError:
        remove(unfinished)
        raise


def touch(path: Path) -> None:
    """Set the time at which a file was last used to now, where the disk can be written to."""
    try:
        os.utime(path)
    except OSError:
        return


def remove(path: Path) -> None:
    """Remove a file if it is there and can be removed."""
    try:
        path.unlink()
    except OSError:
        return


def entries(place: Path) -> list[Entry]:
    """All files of programs in a folder, unfinished ones too; none if there is no folder."""
    found = []
    for path in [*place.glob(f"*{SUFFIX}"), *place.glob(f"*{TRACE}")]:
        try:
            status = path.lstat()
        except OSError:  # another process has just removed it
            continue
        found.append(Entry(path, status.st_size, status.st_mtime))
    return found


def programs_of(found: list[Entry]) -> list[Entry]:
    """Those files that hold a program."""
    return [entry for entry in found if entry.path.suffix == SUFFIX]


def is_unfinished(entry: Entry) -> bool:
    """Whether a process is writing to a file, or was killed while it did."""
    return entry.path.name.startswith(".")


def removable(place: Path) -> list[Entry]:
    """The files of programs that no process is writing to."""
    now = time.time()
    return [
        entry
        for entry in entries(place)
        if not is_unfinished(entry) or now - entry.used > ABANDONED
    ]


def make_room(place: Path) -> None:
    """Remove the programs used least recently until the folder is within its limit.

    What killed processes have left unfinished goes too.
    """
    found = sorted(removable(place), key=lambda entry: entry.used)
    excess = sum(entry.size for entry in found) - limit()
    for entry in found:
        if excess > 0 or is_unfinished(entry):
            remove(entry.path)
            excess -= entry.size


def clear(place: Path) -> int:
    """Remove all programs from a folder, and say how many they were; other files in it stay."""
    found = removable(place)
    for entry in found:
        remove(entry.path)
    return len(programs_of(found))
