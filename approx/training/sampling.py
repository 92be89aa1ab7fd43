"""Which rows a step sees: counter-based draws and permutations that need no memory.

Every index is a hash of (key, step or epoch, position), so nothing is stored and any step can be
computed alone. With a vector of S keys, one per network, indices get a trailing axis of S.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Key, UInt32

from approx.numerics.products import along, repeated

__all__ = [
    "KINDS",
    "batch",
    "batches_per_epoch",
]

GOLDEN = 0x9E3779B9  # 2^32 / golden ratio: spreads consecutive counters (Knuth, TAOCP 3, 6.4)

KINDS = ("epoch", "once", "order", "replacement", "stream")


def mix(h: UInt32[Array, "*s"]) -> UInt32[Array, "*s"]:
    """MurmurHash3's 32-bit finaliser (Appleby 2011).

    It is a bijection in which every input bit changes every output bit.
    """
    h = (h ^ (h >> 16)) * jnp.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * jnp.uint32(0xC2B2AE35)
    return h ^ (h >> 16)


def word(key: Key[Array, "..."], counter: Any) -> UInt32[Array, "..."]:
    """One 32-bit word of a key and a counter."""
    data = jax.random.key_data(key)
    first = data[..., 0]
    counted = jnp.asarray(counter).astype(jnp.uint32) * jnp.uint32(GOLDEN)
    mixed = mix(first + counted)
    return mix(mixed ^ data[..., -1])


def words(key: Key[Array, "..."], counter: Any, size: int) -> UInt32[Array, "size ..."]:
    """`size` 32-bit words of a key and a counter."""
    first = word(key, counter)
    counters = jnp.arange(size, dtype=jnp.uint32) * jnp.uint32(GOLDEN)
    return mix(first + along(counters, first.shape))


def below(random: UInt32[Array, "..."], n: int) -> UInt32[Array, "..."]:
    """Random numbers 0..n-1 from random 32-bit words, as `floor(word n / 2^32)`.

    The bias is below n / 2^32. Below n = 2^16 the product is made from 16-bit halves of the word;
    from there on it is the remainder of the word by n.
    """
    if n >= 2**16:
        return random % jnp.uint32(n)
    high = random >> 16
    low = random & jnp.uint32(0xFFFF)
    n32 = jnp.uint32(n)
    return (high * n32 + (low * n32 >> 16)) >> 16


def draw(key: Key[Array, "..."], step: Any, size: int, n: int) -> Int[Array, "size ..."]:
    """`size` row numbers drawn uniformly from 0..n-1 with replacement."""
    return below(words(key, step, size), n).astype(jnp.int32)


def halves(n: int) -> tuple[int, int]:
    """Two factors of n, the larger at most four times the smaller.

    If there are none, two numbers whose product is just above n. With a product of n no entry of a
    permutation has to walk on, for which all others wait: for 300 and for 8,000 rows that takes a
    third of the time.
    """
    root = math.isqrt(n)
    for a in range(root, root // 2, -1):
        if n % a == 0:
            return a, n // a
    b = round(n**0.5)
    return -(-n // b), b


def permute(
    key: Key[Array, "..."], epoch: Any, position: Int[Array, " size"], n: int
) -> Int[Array, "size ..."]:
    """Entries of a pseudorandom permutation of 0..n-1, which is not stored.

    Every (key, epoch) has a permutation of its own. It is a Feistel network on Z_a x Z_b (see
    `halves`): a round adds a hash of one half to the other half, modulo its size. A result >= n is
    mapped again until it is below n (Black and Rogaway 2002, "Ciphers with arbitrary finite
    domains", methods 2 and 3). This is a bijection whatever the hash.

    Two entries stay related only if their halves collide in every second round. So the number of
    rounds is chosen for a^(-rounds/2) <= 1e-4, where a is the smaller size. For n <= 32 that is too
    coarse; there the entries are those of sorted random words, and exactly uniform.

    Args:
        key: the stream "order" of a seed.
        epoch: number of the epoch.
        position: which entries (size,).
        n: length of the permutation.
    """
    if n <= 32:
        return sorting(words(key, epoch, n), position)
    a, b = halves(n)
    half_rounds = math.ceil(math.log(1e4) / math.log(min(a, b)))
    base = word(key, epoch)
    keys = []
    for r in range(max(6, 2 * half_rounds)):
        counter = (r + 1) * GOLDEN & 0xFFFFFFFF
        keys.append(mix(base + jnp.uint32(counter)))
    # Stored, else XLA makes each round's key anew for each row
    keys = lax.optimization_barrier(keys)

    def shuffle(index):
        left = index // jnp.uint32(b)
        right = index % jnp.uint32(b)
        for r, round_key in enumerate(keys):
            if r % 2:
                added = below(mix(left ^ round_key), b)
                right = wrap(right + added, b)
            else:
                added = below(mix(right ^ round_key), a)
                left = wrap(left + added, a)
        return left * jnp.uint32(b) + right

    def is_beyond(index):
        return (index >= n).any()

    def walk_on(index):
        return jnp.where(index < n, index, shuffle(index))

    entries = along(position.astype(jnp.uint32), base.shape)
    index = shuffle(entries)
    if a * b > n:
        index = lax.while_loop(is_beyond, walk_on, index)
    return index.astype(jnp.int32)


def sorting(
    random: UInt32[Array, "n ..."], position: Int[Array, " size"]
) -> Int[Array, "size ..."]:
    """Some entries of the order that sorts a few numbers: `argsort(random, axis=0)[position]`.

    The rank of a number is how many others come before it, and an entry is the number that has its
    rank. So all networks are sorted at once, in vectors, where XLA:CPU sorts one after another.
    Measured on one core with AVX-512, 64 networks, ns of each: 7 of 21 entries 470 by `argsort` and
    58 so, 32 of 32 1,090 and 140, 1 of 8 102 and 11.

    Args:
        random: (n,) of one network, or (n, S) of S networks.
        position: which entries (size,), the same of all networks.
    """
    networks = random.shape[1:]
    numbers = jnp.arange(len(random), dtype=jnp.int32)
    # Stored, else XLA makes each number anew for each comparison
    random = lax.optimization_barrier(random)
    other = random[None]
    own = random[:, None]
    is_earlier = numbers[None] < numbers[:, None]
    is_earlier = is_earlier.reshape(*is_earlier.shape, *(1 for _ in networks))
    is_before = (other < own) | ((other == own) & is_earlier)
    rank = lax.optimization_barrier(total(is_before.astype(jnp.int32)))
    is_here = rank[None] == along(position, networks)[:, None]
    return total(jnp.where(is_here, along(numbers, networks), 0))


def total(values: Int[Array, "size n ..."]) -> Int[Array, "size ..."]:
    """The sum over the second axis, in two parts: XLA:CPU sums 32 numbers by a slower program."""
    first = values[:, :16].sum(1, dtype=jnp.int32)
    return first + values[:, 16:].sum(1, dtype=jnp.int32)


def wrap(value: UInt32[Array, "..."], size: int) -> UInt32[Array, "..."]:
    """The remainder of a number below 2 size."""
    return jnp.where(value >= size, value - jnp.uint32(size), value)


def batches_per_epoch(n: int, size: int, drop_last: bool = False) -> int:
    """How many batches it takes to see every row once, the last perhaps partial.

    With `drop_last` only full batches count, of which there must be one.
    """
    return n // size if drop_last else -(-n // size)


def batch(
    kind: str, key: Key[Array, "..."], step: Any, size: int, n: int, drop_last: bool = False
) -> tuple[Int[Array, "size ..."], Float[Array, "size ..."] | None]:
    """The numbers of a step's rows, and their weights where a batch can be partial.

    Args:
        kind: "epoch" goes through a new permutation of the rows in every epoch, "once" through one
            permutation in all epochs, as Weka does, and "order" through the rows as they stand. In
            all three the last batch of an epoch has the rows that are left, as in Keras and
            PyTorch. "replacement" draws rows anew in each step.
        key: the stream "order" of a seed.
        step: number of the step.
        size: rows of a batch.
        n: how many rows there are.
        drop_last: whether an epoch ends before a batch that would be partial (PyTorch's
            `drop_last`).

    Returns:
        Row numbers (size,), and None or weights (size,): 1 for a row, 0 for padding.
    """
    if kind == "replacement":
        return draw(key, step, size, n), None
    batches = batches_per_epoch(n, size, drop_last)
    position = (step % batches) * size + jnp.arange(size)
    weights = None
    if n % size and not drop_last:
        weights = along(jnp.asarray(position < n, float), key.shape)
    position = jnp.minimum(position, n - 1)
    if kind in ("epoch", "once"):
        epoch = step // batches if kind == "epoch" else 0
        return permute(key, epoch, position, n), weights
    return repeated(position, key.shape), weights
