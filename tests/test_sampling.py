"""Promise: samplers are uniform, independent over seeds and steps, and permutations are
permutations.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import approx as ap
from approx import sampling

KEY = jax.random.key(5)
# Every p-value below is of a fixed seed, so a test cannot flake; 1e-3 leaves room for the choice of
# that seed.
LEAST_P = 1e-3


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 21, 300, 1000, 8000])
def test_every_epoch_is_a_permutation(n):
    everything = jax.jit(jax.vmap(lambda e: sampling.permute(KEY, e, jnp.arange(n), n)))(
        np.arange(5)
    )
    for epoch in np.asarray(everything):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(n))
    if n >= 7:
        assert len({tuple(epoch) for epoch in np.asarray(everything)}) == 5


@pytest.mark.parametrize(
    ("n", "epochs"), [(12, 20_000), (33, 200_000), (40, 200_000), (64, 400_000)]
)
@pytest.mark.parametrize("places", [(0, 1), (3, 9)])
def test_a_permutation_puts_each_row_everywhere_and_pairs_are_independent(n, epochs, places):
    table = jax.jit(jax.vmap(lambda e: sampling.permute(KEY, e, jnp.array(places), n)))(
        np.arange(epochs)
    )
    first, second = np.asarray(table).T
    for entries in (first, second):
        assert scipy.stats.chisquare(np.bincount(entries, minlength=n)).pvalue > LEAST_P
    counts = np.bincount(first * n + second, minlength=n * n).reshape(n, n)[~np.eye(n, dtype=bool)]
    assert counts.sum() == epochs  # never the same row twice
    assert scipy.stats.chisquare(counts).pvalue > LEAST_P


# Primes: no two factors of a similar size, so that some entries walk on
@pytest.mark.parametrize("n", [37, 997])
def test_entries_that_walk_on_are_a_permutation_and_uniform(n):
    assert np.prod(sampling.halves(n)) > n
    permutations = jax.jit(jax.vmap(lambda epoch: sampling.permute(KEY, epoch, jnp.arange(n), n)))
    table = np.asarray(permutations(np.arange(20_000 // n)))
    np.testing.assert_array_equal(np.sort(table, axis=1), np.tile(np.arange(n), (len(table), 1)))
    fifth = np.arange(n) * 5 // n
    # Fifths of the rows in fifths of the places
    cells = np.bincount((fifth[table] * 5 + fifth).ravel(), minlength=25)
    sizes = np.bincount(fifth)
    assert (
        scipy.stats.chisquare(cells, np.outer(sizes, sizes).ravel() * len(table) / n).pvalue
        > LEAST_P
    )


@pytest.mark.parametrize("n", [4, 6])
def test_all_permutations_are_about_equally_frequent(n):
    epochs = np.arange(60_000)
    permutations = jax.jit(jax.vmap(lambda epoch: sampling.permute(KEY, epoch, jnp.arange(n), n)))
    _, counts = np.unique(np.asarray(permutations(epochs)) @ n ** np.arange(n), return_counts=True)
    assert len(counts) == [24, 720][n == 6]
    assert scipy.stats.chisquare(counts).pvalue > LEAST_P


def test_draws_are_uniform_and_independent():
    n, size, steps = 300, 32, 3000
    draws = jax.jit(jax.vmap(lambda step: sampling.draw(KEY, step, size, n)))
    table = np.asarray(draws(np.arange(steps)))
    assert table.min() == 0
    assert table.max() == n - 1
    assert scipy.stats.chisquare(np.bincount(table.ravel(), minlength=n)).pvalue > LEAST_P
    # Neighbours within a batch, and over steps
    for a, b in ((table[:, :-1], table[:, 1:]), (table[:-1], table[1:])):
        cells = np.bincount((a // 30 * 10 + b // 30).ravel(), minlength=100)
        assert scipy.stats.chisquare(cells).pvalue > LEAST_P


def test_the_hash_is_murmurhash3s():
    """Its published values of the empty text, whose hash is the finaliser of the seed."""
    known = {0: 0, 1: 0x514E28B7, 0xFFFFFFFF: 0x81F16F39}
    found = sampling.mix(jnp.array(list(known), jnp.uint32))
    assert found.tolist() == list(known.values())


@pytest.mark.parametrize("n", [1, 7, 300, 2**16 - 1, 2**16, 100_000, 2**31 - 1])
def test_words_become_numbers_below_n_in_64_bit_arithmetic(n):
    words = np.random.default_rng(0).integers(0, 2**32, 1000, dtype=np.uint64)
    words[:2] = 0, 2**32 - 1
    known = words * n >> 32 if n < 2**16 else words % n
    np.testing.assert_array_equal(sampling.below(jnp.asarray(words, jnp.uint32), n), known)


@pytest.mark.parametrize("n", [37, *(pytest.param(n, marks=pytest.mark.slow) for n in (10, 300))])
@pytest.mark.parametrize("kind", ["epoch", "order", "replacement"])
def test_many_keys_see_what_each_sees_alone(kind, n):
    keys = jax.random.split(KEY, 3)
    batch = jax.jit(lambda keys: sampling.batch(kind, keys, 4, 8, n))
    together, weights = batch(keys)
    assert together.shape == (8, 3)
    for k, key in enumerate(keys):
        alone, its = batch(key)
        np.testing.assert_array_equal(together[:, k], alone)
        assert (weights is None) == (its is None)
        if its is not None:
            np.testing.assert_array_equal(weights[:, 0], its)


def test_seeds_are_independent():
    def both(seed):
        key = jax.random.fold_in(KEY, seed)
        return sampling.draw(key, 3, 2, 10), sampling.permute(key, 3, jnp.arange(2), 10)

    for table in map(np.asarray, jax.jit(jax.vmap(both))(np.arange(20_000))):
        assert scipy.stats.chisquare(np.bincount(table[:, 0], minlength=10)).pvalue > LEAST_P
        assert (
            scipy.stats.chisquare(
                np.bincount(table[:-1, 0] * 10 + table[1:, 0], minlength=100)
            ).pvalue
            > LEAST_P
        )


def epochs_of(kind, size, n, epochs):
    """The rows that the batches of each epoch hold, in order, without padding: (epochs, n)."""
    batches = sampling.batches_per_epoch(n, size)
    steps = jnp.arange(epochs * batches)
    index, weights = jax.jit(jax.vmap(lambda step: sampling.batch(kind, KEY, step, size, n)))(steps)
    counted = np.ones(index.shape, bool) if weights is None else np.asarray(weights) > 0
    rows = [np.asarray(index)[step][counted[step]] for step in range(len(steps))]
    return [np.concatenate(rows[e * batches : (e + 1) * batches]) for e in range(epochs)]


@pytest.mark.parametrize(("n", "size"), [(23, 5), (12, 3), (300, 32)])
def test_batches_of_an_epoch_cover_every_row_once_and_epochs_differ(n, size):
    """The number of batches equals the size for n = 23 only: 5, 4 and 10 batches."""
    first, second, third = epochs_of("epoch", size, n, 3)
    for epoch in (first, second, third):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(n))
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    for epoch in epochs_of("order", size, n, 2):
        np.testing.assert_array_equal(epoch, np.arange(n))


def test_only_the_last_batch_of_an_epoch_is_partial():
    weights_of = jax.jit(jax.vmap(lambda step: sampling.batch("epoch", KEY, step, 32, 300)[1]))
    weights = np.asarray(weights_of(np.arange(20)))  # of two epochs
    assert weights.sum(1).tolist() == 2 * [*[32] * 9, 12]


def test_whole_batches_need_no_weights():
    for kind, n in (("epoch", 20), ("replacement", 23)):
        shapes = jax.eval_shape(
            lambda step, kind=kind, n=n: sampling.batch(kind, KEY, step, 5, n), 0
        )
        assert shapes[0].shape == (5,)
        assert shapes[1] is None


@pytest.mark.parametrize("kind", ["epoch", "order", "replacement", "stream"])
def test_a_recipe_knows_every_way_of_batching(kind):
    assert ap.Recipe(batches=kind, batch_size=2).batches == kind


def test_the_orders_are_those_of_every_version():
    """Recorded: another permutation, as good a one, would be another training of each seed."""

    @jax.jit
    def found(key):
        entries = jnp.array([0, 1, 2, 7])
        few, many = (sampling.permute(key, 3, entries, n) for n in (8, 70_000))
        return few, many, sampling.draw(key, 3, 4, 70_000)

    assert [order.tolist() for order in found(KEY)] == [
        [1, 3, 2, 6],
        [27454, 27427, 31569, 62245],
        [31808, 1785, 38553, 67080],
    ]


@pytest.mark.parametrize("n", [1, 16, 17, 32])
def test_a_few_numbers_are_sorted_as_argsort_sorts_them(n):
    """Equal numbers, of which there are some, stay in their order."""
    values = np.array([0, 1, 2**31, 2**32 - 1], np.uint32)
    random = np.random.default_rng(n).choice(values, (n, 3))
    position = np.arange(n)[::-1]
    known = np.argsort(random, axis=0, kind="stable")[position]
    np.testing.assert_array_equal(jax.jit(sampling.sorting)(random, position), known)
    each = jax.jit(jax.vmap(sampling.sorting, (1, None), 1))
    np.testing.assert_array_equal(each(random, position), known)
