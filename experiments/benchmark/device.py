"""An accelerator and the benchmark's cases on it: blocks of networks timed in all their forms."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import random

from approx.sweep import choice, facts, measurements, plans, programs
from approx.sweep.request import Request, checked
from experiments.benchmark.cases import CASES, Case
from experiments.benchmark.timing import naive_train

ALL_CASES = {name: case for name, case in CASES.items() if " " not in name}
ORDER = ("P1", "P3", "P2", "P6", "P7", "P4", "P5")
FOREVER = 1_000_000_000  # steps of a program that takes only its first ones
NAIVE_STEPS = 200
SECONDS_PER_SAMPLE = 0.15
REPEATS = 3


def median_of_samples(call: Callable[[int], None], steps: int) -> tuple[int, list[float]]:
    """Time `call(steps)`, with as many more steps as make a sample long enough.

    Returns:
        The steps of a sample, and the seconds of each.
    """
    while True:
        began = time.perf_counter()
        call(steps)
        seconds = time.perf_counter() - began
        if seconds > SECONDS_PER_SAMPLE or steps >= 10**7:
            break
        steps *= min(16, max(2, math.ceil(SECONDS_PER_SAMPLE / max(seconds, 1e-6))))

    samples = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call(steps)
        samples.append(time.perf_counter() - began)
    return steps, samples


def row(case: str, form: str, networks: int, compile_seconds: float, steps: int, samples) -> dict:
    """One measurement, as the report has it."""
    ns = np.sort(samples) * 1e9 / networks / steps
    return {
        "case": case,
        "form": form,
        "networks": networks,
        "ns": float(np.median(ns)),
        "least": float(ns[0]),
        "most": float(ns[-1]),
        "compile": compile_seconds,
    }


def time_block(name: str, form: str, networks: int) -> dict:
    """The compiled block of so many networks in one form: steps without records."""
    case = ALL_CASES[name]
    recipe = replace(case.recipe, steps=FOREVER, records=(0, FOREVER))
    request = Request(
        task=case.task, recipe=recipe, seeds=networks, lanes=networks, form=form, keep=()
    )
    (plan,) = plans.make_plans(checked(request))
    device = jax.local_devices()[0]
    began = time.perf_counter()
    inputs = plans.inputs(plan, np.arange(networks))
    block = programs.build(plan.structure, inputs, None, device)
    compile_seconds = time.perf_counter() - began
    placed = jax.device_put(inputs, device)
    carry = [jax.block_until_ready(block.start(placed))]

    def advance(steps: int) -> None:
        carry[0] = jax.block_until_ready(
            block.advance(carry[0], placed, np.int32(0), np.int32(steps))
        )

    steps, samples = median_of_samples(advance, 4)
    return row(name, form, networks, compile_seconds, steps, samples)


def time_naive(name: str, networks: int) -> dict:
    """Plain JAX: `jit(vmap(train))` of a fixed number of steps, called as often as it takes."""
    train = naive_train(ALL_CASES[name], NAIVE_STEPS)
    keys = random.split(random.key(0), networks)
    began = time.perf_counter()
    program = jax.jit(jax.vmap(train)).lower(keys).compile()
    compile_seconds = time.perf_counter() - began

    def call(times: int) -> None:
        for _ in range(times):
            jax.block_until_ready(program(keys))

    times, samples = median_of_samples(call, 1)
    return row(name, "naive", networks, compile_seconds, times * NAIVE_STEPS, samples)


def parameters_of(task, recipe) -> int:
    """Numbers that one network has."""
    return facts.find(task, recipe).parameters


def fits(case: Case, networks: int) -> bool:
    """Whether so many networks fit into half of the memory.

    A network needs its parameters, their moments and gradients, and its rows.
    """
    told = jax.local_devices()[0].memory_stats() or {}
    rows = case.recipe.batch_size or facts.find(case.task, case.recipe).rows
    widest = max((*getattr(case.recipe.model, "widths", ()), 16))
    numbers = 5 * parameters_of(case.task, case.recipe) + 4 * rows * widest
    return 4 * numbers * networks < 0.5 * told.get("bytes_limit", 8e9)


def to_measure(cases: tuple[str, ...], networks: tuple[int, ...]) -> list[tuple[str, str, int]]:
    """What is measured, (case, form, networks), the most important first.

    First every form of every case at one size and naive JAX there, by which the forms are chosen;
    then the other sizes.
    """
    wanted = []
    for count in networks:
        for name in ORDER:
            if name not in cases or not fits(ALL_CASES[name], count):
                continue
            case = ALL_CASES[name]
            forms = [*choice.possible_forms(facts.find(case.task, case.recipe)), "naive"]
            wanted += [(name, form, count) for form in forms]
    return wanted


def as_table(times: list[dict[str, Any]]) -> list[measurements.Measured]:
    """The measurements by which forms and lanes are chosen."""
    made = []
    for each in times:
        if each["form"] == "naive":
            continue
        case = ALL_CASES[each["case"]]
        rows = case.recipe.batch_size or facts.find(case.task, case.recipe).rows
        made.append(
            measurements.Measured(
                case=each["case"],
                parameters=parameters_of(case.task, case.recipe),
                rows=rows,
                form=each["form"],
                lanes=each["networks"],
                ns=each["ns"],
            )
        )
    return made


def describe() -> dict[str, Any]:
    """The device, its memory, versions and the day."""
    device = jax.local_devices()[0]
    bytes_limit = (device.memory_stats() or {}).get("bytes_limit")
    memory = "memory not stated"
    if bytes_limit is not None:
        memory = f"{bytes_limit / 1e9:.1f} GB"
    return {
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.local_device_count(),
        "memory": memory,
        "jax": jax.__version__,
        "day": datetime.now(UTC).date().isoformat(),
    }


def keep_table(about: dict[str, Any], times: list[dict[str, Any]], ship: bool) -> list[Path]:
    """Put the measurements into the tables by which `run` chooses; the files written.

    A CPU's are not: there the choice follows from rules. `ship` writes the package's table too.
    """
    measured = as_table(times)
    if about["platform"] == "cpu" or not measured:
        return []

    paths = [measurements.users_table()]
    if ship:
        paths.append(measurements.SHIPPED)

    for path in paths:
        measurements.write(path, about["device"], measured, about)
    return paths
