"""What PyTorch users have today, as a server of single timings.

`python pytorch.py THREADS`, with any interpreter that has torch.

Reads lines `CASE FORM SEEDS STEPS` and answers each with one line of JSON: {"seconds": ...} or
{"error": ...}; the first call of a case and form includes compilation. Cases: P1 to P6 of
experiments/speed.py. Forms: "loop", the usual loop over one network; "vmap", `torch.func` over
SEEDS networks at once; "compiled", the same through torch.compile.
"""

import json
import sys
import time
from itertools import pairwise

import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

# Seconds after which the rest of the steps is taken to cost the same: a busy core stalls its
# threads
ENOUGH = 2.0
CASES = {  # widths, activation, optimiser, learning rate, l2, batch
    "P1": ((1, 10, 1), nn.Tanh, "sgd", 1e-3, 0.0, None),
    "P2": ((1, 8, 8, 1), nn.ReLU, "adam", 1e-3, 1e-4, 256),
    "P3": ((1, 2, 1), nn.Sigmoid, "adam", 0.1, 0.0, 32),
    "P4": ((84, 84), nn.Identity, "sgd", 1e-2, 0.0, None),
    "P5": ((200, 256, 512, 256), nn.ReLU, "adam", 1e-3, 0.0, None),
    "P6": ((2, 16, 1), nn.ReLU, "adam", 1e-3, 0.0, 32),
}


def data(case):
    """Inputs and targets, and the loss."""
    if case == "P1":
        x = torch.arange(-10.0, 11.0)[:, None]
        return x, x**2, nn.functional.mse_loss
    if case == "P2":
        x = torch.linspace(-10, 10, 8000)[:, None]
        return x, x**2 / 25, nn.functional.mse_loss
    if case == "P4":
        x = torch.randn(80, 84)
        return x, x @ torch.randn(84, 84) / 84, nn.functional.mse_loss
    if case == "P5":
        return torch.randn(256, 200), torch.randint(256, (256,)), nn.functional.cross_entropy
    if case == "P6":
        x = 2 * torch.rand(1000, 2) - 1
        return x, x[:, :1] * x[:, 1:], nn.functional.mse_loss
    x = torch.linspace(-2, 2, 300)[:, None]
    return x, ((x > -0.5) & (x < 0.7)).float(), nn.functional.binary_cross_entropy_with_logits


def network(case):
    """One network of the case."""
    widths, activation = CASES[case][:2]
    layers = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


def loop(case, steps):
    """The usual loop over one network: seconds."""
    x, y, cost = data(case)
    _, _, name, rate, l2, size = CASES[case]
    model = network(case)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[name]
    optimizer = kind(model.parameters(), lr=rate, weight_decay=2 * l2)
    rows = slice(None)
    began = time.perf_counter()
    for n in range(1, steps + 1):
        if size is not None:
            rows = torch.randint(len(x), (size,))
        optimizer.zero_grad()
        cost(model(x[rows]), y[rows]).backward()
        optimizer.step()
        if n == steps or time.perf_counter() - began > ENOUGH:
            return (time.perf_counter() - began) * steps / n


def make_gradient(case, seeds):
    """The gradients of many networks, each on rows of its own if the case has batches."""
    x, y, cost = data(case)
    _, _, _, _, l2, size = CASES[case]
    model = network(case)

    def loss(params, x, y):
        decay = 0.0
        if l2:
            decay = l2 * sum((p**2).sum() for p in params.values())
        return cost(functional_call(model, params, (x,)), y) + decay

    def gradient(params):
        if size is None:
            return vmap(grad(loss), in_dims=(0, None, None))(params, x, y)
        rows = torch.randint(len(x), (seeds, size))
        return vmap(grad(loss))(params, x[rows], y[rows])

    return gradient


def make_step(case, seeds):
    """One step of many networks: parameters, moments and a counter in and out."""
    _, _, name, rate, _, _ = CASES[case]
    gradient = make_gradient(case, seeds)

    def sgd(params, m, v, t):
        g = gradient(params)
        return {k: p - rate * g[k] for k, p in params.items()}, m, v, t

    def adam(params, m, v, t):
        g = gradient(params)
        t = t + 1
        m = {k: 0.9 * m[k] + 0.1 * g[k] for k in g}
        v = {k: 0.999 * v[k] + 0.001 * g[k] ** 2 for k in g}
        scale, root = rate / (1 - 0.9**t), 1 / (1 - 0.999**t)
        moved = {}
        for k, p in params.items():
            moved[k] = p - scale * m[k] / (torch.sqrt(v[k] * root) + 1e-8)
        return moved, m, v, t

    return {"sgd": sgd, "adam": adam}[name]


def many(case, form, seeds, steps, made={}):  # noqa: B006 - the cache of compiled steps
    """All networks at once: seconds."""
    if (case, form, seeds) not in made:
        step = make_step(case, seeds)
        if form == "compiled":
            step = torch.compile(step)
        made[case, form, seeds] = step

    step = made[case, form, seeds]
    stacked, _ = stack_module_state([network(case) for _ in range(seeds)])
    params = {k: p.detach() for k, p in stacked.items()}
    # If both moments were the same tensors, torch.compile would compile the step a second time
    first = {k: torch.zeros_like(p) for k, p in params.items()}
    second = {k: torch.zeros_like(p) for k, p in params.items()}
    state = params, first, second, torch.zeros(())
    with torch.no_grad():
        began = time.perf_counter()
        for n in range(1, steps + 1):
            state = step(*state)
            if n == steps or time.perf_counter() - began > ENOUGH:
                return (time.perf_counter() - began) * steps / n


def seconds_of(case, form, seeds, steps):
    """Seconds of one request."""
    if form == "loop":
        return loop(case, steps)
    return many(case, form, seeds, steps)


def main():
    """Answer one line after the other."""
    torch.set_num_threads(int(sys.argv[1]))
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        case, form, seeds, steps = line.split()
        try:
            answer = {"seconds": seconds_of(case, form, int(seeds), int(steps))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
