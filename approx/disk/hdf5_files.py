"""A file that raises no error while HDF5 writes to it.

Where a disk is full, HDF5 can neither finish a file nor forget it, and it ends the process later.
So HDF5 is told of no error: it is raised when HDF5 has ended.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from approx.disk.seals import checksum, seal_of


class FileForHDF5(io.RawIOBase):
    """A new file to write to and to read from; what the disk does not take stays in memory.

    Args:
        path: of the file.

    """

    def __init__(self, path: Path):
        self.file = path.open("w+b", buffering=0)
        self.place, self.length = 0, 0
        self.error: OSError | None = None  # the first one
        self.untaken: list[tuple[int, bytes]] = []  # what was to be written where since then

    def seekable(self) -> bool:
        """Whether one can go to any place of the file; h5py asks for this."""
        return True

    readable = writable = seekable

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and say which it is."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.length}[whence]
        self.place = begin + offset
        return self.place

    def write(self, content: Any) -> int:
        """Write all bytes, to the disk or else to memory."""
        whole = memoryview(content).cast("B")
        if self.error is None:
            self.attempt(write_at, whole, self.place)
        if self.error:
            self.untaken.append((self.place, bytes(whole)))
        self.place += len(whole)
        if len(whole):
            self.length = max(self.length, self.place)
        return len(whole)

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and say how many bytes."""
        begin = self.place
        many = min(len(buffer), max(self.length - begin, 0))
        found = bytearray(os.pread(self.file.fileno(), many, begin).ljust(many, b"\0"))
        for place, content in self.untaken:
            first, last = max(place, begin), min(place + len(content), begin + many)
            if first < last:
                part = content[first - place : last - place]
                found[first - begin : last - begin] = part
        buffer[:many] = found
        self.place += many
        return many

    def truncate(self, size: int | None = None) -> int:
        """Give the file a length."""
        self.length = self.place if size is None else size
        self.attempt(os.ftruncate, self.length)
        kept = [(place, content[: self.length - place]) for place, content in self.untaken]
        self.untaken = [(place, content) for place, content in kept if place < self.length]
        return self.length

    def attempt(self, do: Callable, *given: Any) -> None:
        """Do something to the file on the disk, and note the first error that it makes."""
        try:
            do(self.file.fileno(), *given)
        except OSError as error:
            self.error = self.error or error

    def end(self) -> None:
        """Write the seal behind the content.

        Raises:
            OSError: the first error that the disk has made.
        """
        if self.error:
            raise self.error
        write_at(self.file.fileno(), seal_of(checksum(self.file, self.length)), self.length)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()


def write_at(descriptor: int, content: bytes | memoryview, place: int) -> None:
    """Write all bytes at a place of an open file."""
    rest = memoryview(content)
    while rest:
        taken = os.pwrite(descriptor, rest, place)
        rest, place = rest[taken:], place + taken
