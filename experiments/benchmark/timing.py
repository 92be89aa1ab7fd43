"""What is timed, each as a `Measure`: `ap.run`, its inner step, naive JAX, the C limit, and peers.

The peers are PyTorch and scikit-learn.
"""

import math
import os
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from json import loads
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

import approx as ap
from approx.sweep import plans, programs
from approx.sweep.request import Request, checked
from experiments.benchmark.cases import Case, steps_for
from experiments.benchmark.kan import kan
from experiments.limit import limit

PEER = Path(__file__).parent / "pytorch.py"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Steps of an inner program that takes only its first ones: no record is due before the last
FOREVER = 1_000_000_000


@dataclass
class Measure:
    """One thing that is timed, again and again.

    Attributes:
        case: name of the benchmark's case.
        form: what runs it.
        threads: on so many.
        seeds: networks at once.
        steps: of each, in one sample.
        once: does it, and returns its seconds.
        compile_seconds: what the first call took longer than a later one.
        bytes: memory at work, as the compiled program states it.
        ns: samples, in nanoseconds per seed and step.
    """

    case: str
    form: str
    threads: int
    seeds: int
    steps: int
    once: Callable[[], float] = field(repr=False)
    compile_seconds: float | None = None
    bytes: int | None = None
    ns: list[float] = field(default_factory=list)

    def sample(self) -> float:
        """Time it once: nanoseconds per seed and step."""
        return self.once() * 1e9 / (self.seeds * self.steps)

    def record(self) -> dict[str, Any]:
        """What is written of it, without the function `once`."""
        return {name: value for name, value in vars(self).items() if name != "once"}


@contextmanager
def cores(count: int) -> Iterator[None]:
    """All of this process' threads on its first `count` cores, for a while.

    One thread then means one core for XLA's own threads too.
    """
    if not hasattr(os, "sched_setaffinity") or count >= CORES:
        yield
        return

    before = os.sched_getaffinity(0)
    allow(set(sorted(before)[:count]))
    try:
        yield
    finally:
        allow(before)


def allow(cores: set[int]) -> None:
    """Every thread of this process on these cores; a new thread starts where its parent is."""
    for name in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(name), cores)


def timed(function: Callable[[], Any], threads: int) -> float:
    """Seconds of one call, on so many cores."""
    with cores(threads):
        began = time.perf_counter()
        function()
        return time.perf_counter() - began


def public(name: str, case: Case, form: str, threads: int, seconds: float) -> Measure:
    """`ap.run` as a user calls it: default records and lanes, results on the host."""
    recipe = replace(case.recipe, steps=steps_for(seconds, case.ns[form], case.seeds))
    options: dict[str, Any] = {"form": form, "threads": threads, "progress": False}
    call = partial(ap.run, case.task, recipe, seeds=case.seeds, **options)
    once = partial(timed, call, threads)
    return Measure(name, f"run {form}", threads, case.seeds, recipe.steps, once)


def host(name: str, case: Case, form: str) -> Measure:
    """A call of `ap.run` with next to nothing to compute.

    It is what planning, tracing, lowering and labelling cost.
    """
    recipe = replace(case.recipe, steps=10)
    options: dict[str, Any] = {"lanes": 8, "form": form, "progress": False}
    call = partial(ap.run, case.task, recipe, seeds=8, **options)
    return Measure(name, f"host {form}", CORES, 8, 10, partial(timed, call, CORES))


def inner(
    name: str,
    case: Case,
    form: str,
    threads: int,
    seconds: float,
    seeds: int | None = None,
    lanes: int | None = None,
) -> Measure:
    """The compiled block alone: every block once, dealt to the threads.

    No record is due but that of step 0.
    """
    seeds = seeds or case.seeds
    recipe = replace(case.recipe, steps=FOREVER, records=(0, FOREVER))
    request = Request(task=case.task, recipe=recipe, seeds=seeds, lanes=lanes, form=form, keep=())
    (plan,) = plans.make_plans(checked(request))
    dealt, device = plans.blocks_of(plan, np.arange(seeds)), jax.devices()[0]
    count = len(dealt)
    steps = steps_for(seconds, case.ns[form], count * plan.lanes)
    built: list[Any] = []

    def once() -> float:
        if not built:
            built.append(programs.build(plan.structure, plans.inputs(plan, dealt[0]), None, device))
            measure.bytes = built[0].bytes * min(threads, count)

        block = built[0]
        placed = [jax.device_put(plans.inputs(plan, each), device) for each in dealt]
        carries = [jax.block_until_ready(block.start(one)) for one in placed]
        begin, end = np.int32(0), np.int32(steps)

        def advance(index):
            jax.block_until_ready(block.advance(carries[index], placed[index], begin, end))

        def everything():
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(advance, range(count)))

        return timed(everything, threads)

    measure = Measure(name, f"step {form}", threads, seeds, steps, once)
    return measure


def naive(name: str, case: Case, seconds: float, seeds: int | None = None) -> Measure:
    """Plain JAX, as one writes it: `jit(vmap(train))`, dots, `randint` draws, no options.

    XLA uses all cores.
    """
    seeds = seeds or case.seeds
    steps = steps_for(seconds, case.ns["naive"], seeds)
    train = naive_train(case, steps)
    keys = random.split(random.key(0), seeds)
    made: list[Any] = []

    def once() -> float:
        if not made:
            made.append(jax.jit(jax.vmap(train)).lower(keys).compile())
            memory = made[0].memory_analysis()
            if memory:
                measure.bytes = memory.temp_size_in_bytes + memory.argument_size_in_bytes
        return timed(lambda: jax.block_until_ready(made[0](keys)), CORES)

    measure = Measure(name, "naive", CORES, seeds, steps, once)
    return measure


def naive_network(case: Case, inputs: int) -> tuple[Callable, Callable]:
    """The case's network in plain JAX, as (init, apply).

    Parameters are pairs of weights and biases.
    """
    model = case.recipe.model
    if isinstance(model, ap.models.KAN):
        edges = kan((inputs, *model.widths, model.outputs), model.grid, model.degree)
        return lambda key: edges[0](key, jnp.zeros((1, inputs))), edges[1]

    sizes = (inputs, *model.widths, model.outputs)
    activations = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}
    activation = activations[model.activation]

    def init(key):
        keys = random.split(key, len(sizes) - 1)
        params = []
        for key, i, o in zip(keys, sizes[:-1], sizes[1:], strict=True):
            weights = random.uniform(key, (i, o), minval=-1) / i**0.5
            params.append((weights, jnp.zeros(o)))
        return params

    def apply(params, x):
        for w, b in params[:-1]:
            x = activation(x @ w + b)
        w, b = params[-1]
        return x @ w + b

    return init, apply


NAIVE_LOSSES: dict[str, Callable] = {
    "mse": lambda f, y: ((f - y) ** 2).mean(),
    "binary_cross_entropy": lambda f, y: optax.sigmoid_binary_cross_entropy(f, y).mean(),
    "cross_entropy": lambda f, y: optax.softmax_cross_entropy_with_integer_labels(f, y).mean(),
}


def naive_rows(case: Case) -> tuple[jax.Array, jax.Array]:
    """The case's rows in float32; labels stay whole numbers."""
    x, y = (jnp.asarray(a) for a in case.task.rows(random.key(0), random.key(0)))
    if not jnp.issubdtype(y.dtype, jnp.integer):
        y = y.astype(jnp.float32)
    return x.astype(jnp.float32), y


def naive_train(case: Case, steps: int) -> Callable:
    """A training in plain JAX: `train(key)` gives the last loss."""
    x, y = naive_rows(case)
    recipe = case.recipe
    init, apply = naive_network(case, x.shape[1])
    optimizer = {"sgd": optax.sgd, "adam": optax.adam}[recipe.optimizer](recipe.learning_rate)
    fit = NAIVE_LOSSES[str(case.task.loss)]

    def loss(params, x, y):
        decay = 0.0
        if recipe.l2:
            decay = recipe.l2 * sum((leaf**2).sum() for leaf in jax.tree.leaves(params))
        return fit(apply(params, x), y) + decay

    def train(key):
        params = init(key)

        def step(carry, n):
            params, state = carry
            rows: Any = slice(None)
            if recipe.batch_size is not None:
                rows = random.randint(random.fold_in(key, n), (recipe.batch_size,), 0, len(x))
            value, gradient = jax.value_and_grad(loss)(params, x[rows], y[rows])
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), value

        start = (params, optimizer.init(params))
        _, losses = lax.scan(step, start, jnp.arange(steps))
        return losses[-1]

    return train


def c_limit(
    name: str,
    case: Case,
    programs: dict[str, Path],
    threads: int,
    seconds: float,
    seeds: int | None = None,
):
    """The C limit: a trainer for small networks, the peak of fused multiply-adds for dense ones."""
    seeds = seeds or case.seeds
    if case.flops:

        def at_peak():
            return case.flops * seeds / 1e9 / limit.call(programs["peak"], threads)["gflops"]

        return Measure(name, "limit", threads, seeds, 1, at_peak)

    steps = steps_for(seconds * min(threads / CORES, 1), case.ns["lanes"], max(seeds, 16))
    arguments = (name.lower().replace(" ", ""), seeds, steps, threads, 1)

    def once():
        found = limit.call(programs["limit"], *arguments)
        return found["wall_ns_per_seed_step"] * found["seeds"] * steps / 1e9

    return Measure(name, "limit", threads, seeds, steps, once)


class Torch:
    """PyTorch in a process of its own with so many threads, asked for one timing at a time.

    The process runs pytorch.py.
    """

    def __init__(self, python: str, threads: int):
        self.threads = threads
        self.process = subprocess.Popen(
            [python, str(PEER), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.version = self.answer().get("torch")

    def answer(self) -> dict[str, Any]:
        """The next line that it says."""
        line = ""
        if self.process.stdout:
            line = self.process.stdout.readline()
        return loads(line or '{"error": "the process ended"}')

    def seconds(self, case: str, form: str, seeds: int, steps: int) -> float:
        """One timing; nan where PyTorch cannot."""
        print(case, form, seeds, steps, file=self.process.stdin, flush=True)
        answer = self.answer()
        if "error" in answer:
            what = f"PyTorch {form} of {case}, {self.threads} threads"
            print(f"  {what}: {answer['error']}", flush=True)
        return answer.get("seconds", math.nan)


# Rough nanoseconds per seed and step
TORCH_NS = {
    "P1": {"loop": 1.5e5, "vmap": 5e3, "compiled": 500},
    "P2": {"loop": 1.5e5, "vmap": 25e3, "compiled": 2e4},
    "P3": {"loop": 1.5e5, "vmap": 5e3, "compiled": 1500},
    "P4": {"loop": 1.5e5, "vmap": 5e4, "compiled": 3e4},
    "P5": {"loop": 6e6, "vmap": 6e6, "compiled": 5e6},
    "P6": {"loop": 1.5e5, "vmap": 1e4, "compiled": 5e3},
}


def torch_measures(name: str, case: Case, peers: list[Torch], seconds: float) -> list[Measure]:
    """A loop, `torch.func` vmap and the same compiled, per number of threads."""
    rough = TORCH_NS[name]

    made = []
    for peer in peers:
        for form, ns in rough.items():
            seeds = case.seeds
            if form == "loop":
                seeds = 1
            steps = steps_for(seconds, ns, seeds, least=3)
            once = partial(peer.seconds, name, form, seeds, steps)
            made.append(Measure(name, f"torch {form}", peer.threads, seeds, steps, once))
    return made


def sklearn_measures(name: str, case: Case, seconds: float) -> list[Measure]:
    """scikit-learn's MLP, one network; nothing where it is not installed."""
    try:
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    except ImportError:
        return []

    recipe, model = case.recipe, case.recipe.model
    x, y = (np.asarray(a) for a in case.task.rows(random.key(0), random.key(0)))
    size = recipe.batch_size or len(x)
    each = math.ceil(len(x) / size)
    epochs = max(2, steps_for(seconds, 1e5, 1) // each)
    options = {
        "hidden_layer_sizes": model.widths,
        "activation": {"sigmoid": "logistic"}.get(model.activation, model.activation),
        "solver": recipe.optimizer,
        "learning_rate_init": recipe.learning_rate,
        "batch_size": size,
        "momentum": 0,
        "max_iter": epochs,
        "tol": 0,
        "n_iter_no_change": epochs + 1,
        "alpha": recipe.l2 or 0,
    }
    kind = MLPRegressor
    if case.task.loss == "binary_cross_entropy":
        kind = MLPClassifier

    def once() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            return timed(lambda: kind(**options).fit(x, y.ravel()), CORES)

    return [Measure(name, "scikit-learn", CORES, 1, epochs * each, once)]
