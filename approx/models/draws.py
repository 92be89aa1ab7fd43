"""Random numbers of the initial weights, from a key or from bits that were drawn before.

Compiling `jax.random.uniform` for each array of parameters takes longer than compiling the rest of
a training's start. So the bits of all parameters are drawn at once, by a program that does not
depend on the network but for the rounded number of its parameters: it is compiled once for many
networks. An initialiser asks a *source* for its numbers, and does not know which kind it has:

    KeySource    draws from a JAX key, as `jax.random` does; inside `ap.train`, for example
    BitSource    hands out bits that were drawn before, in the order of the requests
    Requests     hands out zeros and notes what was asked for

Both ways give the same numbers to the bit. JAX's threefry makes this simple: `fold_in(key, n)`, the
n-th key of `split(key)`, and the n-th number of `bits(key, shape)` are all made from the hash of
(key, n) (`jax_threefry_partitionable`, JAX's default).
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.extend.random import threefry2x32_p
from jaxtyping import Array, Key, UInt32

DEPTH = 2  # a parameter's key is at most the second child of a stream's key: layer, then part
NONE = -1  # in the table, for a level that a key does not have
LEAST = 64  # numbers of the smallest program; the next has four times as many, and so on


class KeySource:
    """A source of random numbers that draws from a JAX key."""

    def __init__(self, key: Key[Array, ""]):
        self.key = key

    def fold_in(self, n: int) -> "KeySource":
        """The n-th child."""
        return KeySource(random.fold_in(self.key, n))

    def split(self) -> tuple["KeySource", "KeySource"]:
        """Two children."""
        first, second = random.split(self.key)
        return KeySource(first), KeySource(second)

    def uniform(self, shape: tuple[int, ...], bound: Any) -> Array:
        """`U(-bound, bound)`."""
        return random.uniform(self.key, shape, minval=-bound, maxval=bound)

    def normal(self, shape: tuple[int, ...]) -> Array:
        """`N(0, 1)`."""
        return random.normal(self.key, shape)

    def truncated_normal(self, shape: tuple[int, ...]) -> Array:
        """`N(0, 1)`, cut at ±2."""
        return random.truncated_normal(self.key, -2.0, 2.0, shape)

    def own_key(self) -> Key[Array, ""]:
        """The key itself, for a user's own function."""
        return self.key


Source = Any  # a `KeySource`, `BitSource` or `Requests`


def as_source(key: Any) -> Source:
    """A source of random numbers: the one that is given, or one that draws from a key."""
    if isinstance(key, KeySource | BitSource | Requests):
        return key
    return KeySource(key)


class Request(NamedTuple):
    """So many numbers from the key at the end of a path of children."""

    path: tuple[int, ...]
    numbers: int


class OwnKeyNeededError(Exception):
    """An initialiser wants a key, so that its numbers cannot be drawn before."""


class Requests:
    """A source that hands out zeros and notes what was asked for.

    Attributes:
        made: the requests so far, in their order; shared with all children.
        path: of this source.
    """

    def __init__(self, made: list[Request] | None = None, path: tuple[int, ...] = ()):
        self.made: list[Request] = [] if made is None else made
        self.path = path

    def fold_in(self, n: int) -> "Requests":
        """The n-th child."""
        return Requests(self.made, (*self.path, n))

    def split(self) -> tuple["Requests", "Requests"]:
        """Two children."""
        return self.fold_in(0), self.fold_in(1)

    def uniform(self, shape: tuple[int, ...], bound: Any) -> Array:
        """Zeros; a request is noted."""
        self.made.append(Request(self.path, math.prod(shape)))
        return jnp.zeros(shape)

    def normal(self, shape: tuple[int, ...]) -> Array:
        """Zeros; a request is noted."""
        return self.uniform(shape, 1.0)

    def truncated_normal(self, shape: tuple[int, ...]) -> Array:
        """Zeros; a request is noted."""
        return self.uniform(shape, 1.0)

    def own_key(self) -> Key[Array, ""]:
        """No key can be given."""
        raise OwnKeyNeededError


class BitSource:
    """A source that hands out bits which were drawn before, in the order of the requests.

    Attributes:
        bits: unsigned integers (m,) of as many bits as the numbers that are made of them.
        used: how many have been handed out, in a list that all children share.
    """

    def __init__(self, bits: Array, used: list[int] | None = None):
        self.bits = bits
        self.used = [0] if used is None else used

    def fold_in(self, n: int) -> "BitSource":
        """A child, which takes from the same bits."""
        return self

    def split(self) -> tuple["BitSource", "BitSource"]:
        """Two children, which take from the same bits."""
        return self, self

    def take(self, shape: tuple[int, ...]) -> Array:
        """The next bits."""
        begin = self.used[0]
        self.used[0] += math.prod(shape)
        return self.bits[begin : self.used[0]].reshape(shape)

    def uniform(self, shape: tuple[int, ...], bound: Any) -> Array:
        """`U(-bound, bound)`, by the arithmetic of `jax.random.uniform`."""
        return uniform_of(self.take(shape), -bound, bound)

    def normal(self, shape: tuple[int, ...]) -> Array:
        """`N(0, 1)`, by the arithmetic of `jax.random.normal`."""
        bits = self.take(shape)
        dtype = float_of(bits)
        above_minus_one = np.nextafter(np.array(-1, dtype), np.array(0, dtype), dtype=dtype)
        uniform = uniform_of(bits, above_minus_one, np.array(1, dtype))
        return lax.mul(np.array(np.sqrt(2), dtype), lax.erf_inv(uniform))

    def truncated_normal(self, shape: tuple[int, ...]) -> Array:
        """`N(0, 1)` cut at ±2, by the arithmetic of `jax.random.truncated_normal`."""
        bits = self.take(shape)
        dtype = float_of(bits)
        root = np.array(np.sqrt(2), dtype)
        bound = lax.erf(np.array(2, dtype) / root)
        uniform = uniform_of(bits, -bound, bound)
        inside = np.nextafter(np.array(2, dtype), np.array(0, dtype), dtype=dtype)
        return jnp.clip(root * lax.erf_inv(uniform), -inside, inside)

    def own_key(self) -> Key[Array, ""]:
        """No key can be given."""
        raise OwnKeyNeededError


def float_of(bits: Array) -> Any:
    """The type of the numbers that are made of bits: as many bits each."""
    return np.dtype(f"float{8 * bits.dtype.itemsize}")


def uniform_of(bits: Array, low: Any, high: Any) -> Array:
    """Numbers uniform in [low, high) from bits: the arithmetic of `jax.random.uniform`.

    The upper bits become the fraction of a number in [1, 2), which is then moved and scaled.
    """
    dtype = float_of(bits)
    info = jnp.finfo(dtype)
    one = np.array(1, dtype).view(bits.dtype)
    shift = np.array(info.bits - info.nmant, bits.dtype)
    unit = lax.bitcast_convert_type(lax.shift_right_logical(bits, shift) | one, dtype)
    unit = unit - np.array(1, dtype)
    low, high = jnp.asarray(low, dtype), jnp.asarray(high, dtype)
    return lax.max(jnp.broadcast_to(low, bits.shape), unit * (high - low) + low)


def table_of(requests: list[Request]) -> np.ndarray:
    """Where every number comes from: (DEPTH + 1, numbers), the path of its key and its place there.

    The number of columns is rounded up, so that many networks share a program.
    """
    count = sum(request.numbers for request in requests)
    rounded = LEAST
    while rounded < count:
        rounded *= 4
    table = np.full((DEPTH + 1, rounded), NONE, np.int32)
    begin = 0
    for path, size in requests:
        columns = table[:, begin : begin + size]
        columns[: len(path)] = np.array(path, np.int32)[:, None]
        columns[DEPTH] = np.arange(size)
        begin += size
    return table


def child(key: tuple[Array, Array], n: Array) -> tuple[Array, Array]:
    """Threefry's hash of keys and numbers, of one shape: two words each."""
    zero = jnp.zeros_like(n)
    first, second = threefry2x32_p.bind(*key, zero, n)
    return first, second


def draw(keys: UInt32[Array, "s 2"], table: Array, wide: bool) -> Array:
    """The bits of every number of a table, for s streams of randomness: (s, numbers).

    The levels are taken by a loop, which compiles in a third of the time of three copies.

    Args:
        keys: the words of the streams' keys.
        table: see `table_of`.
        wide: whether the numbers have 64 bits, or 32.
    """
    shape = (keys.shape[0], table.shape[1])

    def descend(level: Any, key: tuple[Array, Array]) -> tuple[Array, Array]:
        n = jnp.broadcast_to(table[level], shape)
        first, second = child(key, n.astype(jnp.uint32))
        return jnp.where(n == NONE, key[0], first), jnp.where(n == NONE, key[1], second)

    first, second = (jnp.broadcast_to(keys[:, n, None], shape) for n in range(2))
    high, low = lax.fori_loop(0, DEPTH + 1, descend, (first, second))
    if not wide:
        return high ^ low
    return (high.astype(jnp.uint64) << np.uint64(32)) | low.astype(jnp.uint64)


def is_plain(key: Key[Array, ""]) -> bool:
    """Whether JAX draws from this key as this file does."""
    threefry = str(random.key_impl(key)) == "threefry2x32"
    return threefry and bool(jax.config.jax_threefry_partitionable)
