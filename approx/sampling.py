"""Which rows a step sees: counter-based draws and permutations that need no memory.

Every index is a hash of (key, step or epoch, position), so nothing is stored and any step can be computed alone.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, ScalarLike, UInt32

GOLDEN = 0x9E3779B9  # 2^32 / golden ratio: spreads consecutive counters (Knuth, TAOCP 3, 6.4)

KINDS = ("epoch", "order", "replacement", "stream")


def mix(h: UInt32[Array, "*s"]) -> UInt32[Array, "*s"]:
    """MurmurHash3's 32-bit finaliser (Appleby 2011): a bijection in which every input bit moves every output bit."""
    h = (h ^ (h >> 16)) * jnp.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * jnp.uint32(0xC2B2AE35)
    return h ^ (h >> 16)


def word(key: Key[Array, ""], counter: ScalarLike) -> UInt32[Array, ""]:
    """One 32-bit word of a key and a counter."""
    high, low = jax.random.key_data(key)[..., 0], jax.random.key_data(key)[..., -1]
    return mix(mix(high + jnp.asarray(counter).astype(jnp.uint32) * jnp.uint32(GOLDEN)) ^ low)


def draw(key: Key[Array, ""], step: ScalarLike, size: int, n: int) -> Int[Array, " size"]:
    """`size` row numbers drawn uniformly from 0..n-1 with replacement (bias below n / 2^32)."""
    counters = word(key, step) + jnp.arange(size, dtype=jnp.uint32) * jnp.uint32(GOLDEN)
    return (mix(counters) % jnp.uint32(n)).astype(jnp.int32)


def permute(key: Key[Array, ""], epoch: ScalarLike, position: Int[Array, " size"], n: int) -> Int[Array, " size"]:
    """Entries of a pseudorandom permutation of 0..n-1, one permutation per (key, epoch), without storing it.

    A Feistel network on Z_a x Z_b with a b just above n, whose rounds add a hash of one half to the other modulo its
    size, walking on along the cycle from results >= n (Black and Rogaway 2002, "Ciphers with arbitrary finite domains",
    methods 2 and 3): a bijection whatever the hash. Two entries stay related only if their halves collide in every
    second round, so the rounds are chosen for a^(-rounds/2) <= 1e-4. For n <= 32 that leaves a trace; there the
    entries are those of sorted random words, exactly uniform.
    """
    words = word(key, epoch)
    if n <= 32:
        return jnp.argsort(mix(words + jnp.arange(n, dtype=jnp.uint32) * jnp.uint32(GOLDEN)))[position].astype(
            jnp.int32
        )
    a, b = -(-n // round(n**0.5)), round(n**0.5)
    rounds = max(6, 2 * math.ceil(math.log(1e4) / math.log(a)))
    keys = [mix(words + jnp.uint32((r + 1) * GOLDEN & 0xFFFFFFFF)) for r in range(rounds)]

    def shuffle(index):
        left, right = index // jnp.uint32(b), index % jnp.uint32(b)
        for r, round_key in enumerate(keys):
            if r % 2:
                right = (right + mix(left ^ round_key) % jnp.uint32(b)) % jnp.uint32(b)
            else:
                left = (left + mix(right ^ round_key) % jnp.uint32(a)) % jnp.uint32(a)
        return left * jnp.uint32(b) + right

    index = shuffle(position.astype(jnp.uint32))
    if a * b > n:
        walk = lambda i: jnp.where(i < n, i, shuffle(i))  # noqa: E731
        index = jax.lax.while_loop(lambda i: (i >= n).any(), walk, index)
    return index.astype(jnp.int32)


def batches_per_epoch(n: int, size: int) -> int:
    """How many batches it takes to see every row once, the last perhaps partial."""
    return -(-n // size)


def batch(
    kind: str, key: Key[Array, ""], step: Any, size: int, n: int
) -> tuple[Int[Array, " size"], Float[Array, " size"] | None]:
    """The rows of a step, and their weights where a batch can be partial (1 for a row, 0 for padding).

    "epoch" goes through a new permutation every epoch, "order" through the rows as they stand; in both the last batch
    of an epoch holds what is left (Keras). "replacement" draws rows anew each step.
    """
    if kind == "replacement":
        return draw(key, step, size, n), None
    batches = batches_per_epoch(n, size)
    position = (step % batches) * size + jnp.arange(size)
    weights = None if n % size == 0 else jnp.asarray(position < n, float)
    position = jnp.minimum(position, n - 1)
    return (permute(key, step // batches, position, n) if kind == "epoch" else position), weights
