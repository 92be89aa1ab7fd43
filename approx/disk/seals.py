"""Seals: the checksum at the end of a file, by which damage to the file is noticed.

A seal is a line of text, `approx-crc32:` and eight hexadecimal digits: the CRC-32 of all bytes
before it. Readers of netCDF (HDF5) and of zip archives do not look behind the end of what they
read, so a sealed file stays a valid netCDF or npz file.
"""

import os
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

SEAL = re.compile(rb"approx-crc32:([0-9a-f]{8})\n")
SEAL_BYTES = len("approx-crc32:00000000\n")

# A file is read for its checksum in blocks of this size, which stay in the processor's cache.
BLOCK_BYTES = 2**20

# A large file is cut into parts of at least this size, and every part has a thread. For 1 GB in
# memory, two threads took 0.22 s where one took 0.32 s, on a busy machine of two cores.
PART_BYTES = 2**25
MOST_THREADS = 4

# The polynomial of CRC-32 (IEEE 802.3, as in zlib), its lowest bit first
POLYNOMIAL = 0xEDB88320


class DamagedError(ValueError):
    """The bytes of a file are not those that were written."""


def make_seal(content: bytes | memoryview) -> bytes:
    """The seal that belongs behind the content."""
    return seal_of(zlib.crc32(content))


def seal_of(crc: int) -> bytes:
    """The seal that belongs behind bytes of this CRC-32."""
    return f"approx-crc32:{crc:08x}\n".encode()


def is_sealed(file: BinaryIO, path: Path) -> bool:
    """Check the seal of an open file, and go back to the file's beginning.

    Args:
        file: opened for reading in binary mode.
        path: the file's path, for the error.

    Returns:
        Whether the file has a seal at all. One that is wrong is an error.

    Raises:
        DamagedError: the seal is not that of the bytes before it.
    """
    length = max(file.seek(0, os.SEEK_END) - SEAL_BYTES, 0)
    file.seek(length)
    seal = SEAL.fullmatch(file.read())
    file.seek(0)
    if seal is None:
        return False
    if f"{checksum(file, length):08x}".encode() != seal[1]:
        raise DamagedError(f"{path} is damaged, its contents are not those that were written")
    return True


def read_sealed(path: Path) -> bytes:
    """Read a file without its seal, which is checked if the file has one.

    Raises:
        DamagedError: the seal is not that of the bytes before it.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        sealed = is_sealed(file, path)
        content = file.read()
    if sealed:
        return content[:-SEAL_BYTES]
    return content


def checksum(file: BinaryIO, length: int) -> int:
    """The CRC-32 of the first bytes of an open file, computed by several threads if there are many.

    Args:
        file: opened for reading in binary mode. Its position is neither used nor changed.
        length: how many bytes.
    """
    threads = min(MOST_THREADS, os.cpu_count() or 1, length // PART_BYTES)
    if threads < 2:
        return checksum_of_part(file, 0, length)
    size = -(-length // threads)
    begins = list(range(0, length, size))
    lengths = [min(size, length - begin) for begin in begins]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda at, many: checksum_of_part(file, at, many), begins, lengths))
    whole = found[0]
    for part, many in zip(found[1:], lengths[1:], strict=True):
        whole = joined(whole, part, many)
    return whole


def checksum_of_part(file: BinaryIO, begin: int, length: int) -> int:
    """The CRC-32 of `length` bytes of an open file from byte `begin` on, or of fewer if it ends."""
    buffer = memoryview(bytearray(BLOCK_BYTES))
    found = 0
    end = begin + length
    while begin < end:
        many = os.preadv(file.fileno(), [buffer[: end - begin]], begin)
        if not many:
            break
        found = zlib.crc32(buffer[:many], found)
        begin += many
    return found


def joined(first: int, second: int, length: int) -> int:
    """The CRC-32 of two pieces of bytes one after another, from the CRC-32 of each.

    A CRC is linear over the bits 0 and 1. Behind the first piece, `length` zero bytes change its
    CRC by a matrix, which is found by repeated squaring (as `crc32_combine` of zlib does it).

    Args:
        first: CRC-32 of the first piece.
        second: CRC-32 of the second piece.
        length: bytes of the second piece.
    """
    one_bit = [POLYNOMIAL] + [1 << bit for bit in range(31)]
    matrix = squared(squared(squared(one_bit)))  # of a zero byte
    while length:
        if length & 1:
            first = times(matrix, first)
        matrix = squared(matrix)
        length >>= 1
    return first ^ second


def squared(matrix: list[int]) -> list[int]:
    """The product of a matrix of bits with itself; every column is a whole number of 32 bits."""
    return [times(matrix, column) for column in matrix]


def times(matrix: list[int], vector: int) -> int:
    """The product of a matrix of bits with a vector of bits: the sum, modulo 2, of its columns."""
    found = 0
    for bit, column in enumerate(matrix):
        if vector >> bit & 1:
            found ^= column
    return found
