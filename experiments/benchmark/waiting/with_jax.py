"""One process that asks three questions in plain JAX, as one writes it by hand: `jit(vmap(train))`.

    python with_jax.py WIDTH     WIDTH: units of the first network

The questions and the printed lines are those of with_approx.py: ten tanh units learn x² from 21
points in [-10, 10] by SGD, and the loss at 301 points is taken after the last step.
"""

import json
import statistics
import sys
import time
from functools import lru_cache

import jax
import jax.numpy as jnp
import optax
from jax import lax, random

X = jnp.linspace(-10, 10, 21)[:, None]
X_TEST = jnp.linspace(-15, 15, 301)[:, None]


def init(key, width):
    """Weights and biases of a network with one hidden layer."""
    first, second = random.split(key)
    bound = (3 / width) ** 0.5
    return {
        "w1": random.uniform(first, (1, width), minval=-1, maxval=1),
        "b1": jnp.zeros(width),
        "w2": random.uniform(second, (width, 1), minval=-bound, maxval=bound),
        "b2": jnp.zeros(1),
    }


def loss(params, x):
    """The mean squared error at x (n, 1)."""
    hidden = jnp.tanh(x @ params["w1"] + params["b1"])
    return jnp.mean((hidden @ params["w2"] + params["b2"] - x**2) ** 2)


@lru_cache
def trainer(width, steps):
    """The compiled training of many networks: keys -> their losses at the test points."""
    rule = optax.sgd(1e-3)

    def train(key):
        params = init(key, width)

        def step(carry, _):
            params, state = carry
            gradient = jax.grad(loss)(params, X)
            updates, state = rule.update(gradient, state)
            return (optax.apply_updates(params, updates), state), None

        params, _ = lax.scan(step, (params, rule.init(params)), length=steps)[0]
        return loss(params, X_TEST)

    return jax.jit(jax.vmap(train))


def question(width, seeds, steps):
    """Seconds until the median test loss of `seeds` networks of `width` tanh units is known."""
    began = time.perf_counter()
    keys = random.split(random.key(0), seeds)
    float(jnp.nanmedian(trainer(width, steps)(keys)))
    return time.perf_counter() - began


width = int(sys.argv[1])
first = question(width, 512, 1000)
new = question(width + 1, 512, 1000)
question(width, 64, 10)
again = statistics.median(question(width, 64, 10) for _ in range(11))
print(json.dumps({"first": first, "new": new, "again": again}))
