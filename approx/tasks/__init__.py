"""What to learn: data, loss, and the points where a network is judged.

`task` makes a task of any function, `drawn` one whose inputs every seed draws for itself, and
`given` one of any data. The catalogue has `square`, `sine`, `interval`, `waveform`, `identity` and
`clusters`, and the differential equations `decay`, `oscillator` and `logistic`.
"""

from approx.tasks.autoencoders import Identity, identity
from approx.tasks.classes import Waveform, clusters, interval, waveform
from approx.tasks.curves import Curve, sine, square
from approx.tasks.data import STATIC, Points, Task
from approx.tasks.drawn import Drawn, Uniform, drawn
from approx.tasks.equations import Equation, decay, logistic, oscillator
from approx.tasks.own import Given, given, rays, task
from approx.tasks.values import check_finite, shortened, warn_of_tail

__all__ = [
    "STATIC",
    "Curve",
    "Drawn",
    "Equation",
    "Given",
    "Identity",
    "Points",
    "Task",
    "Uniform",
    "Waveform",
    "check_finite",
    "clusters",
    "decay",
    "drawn",
    "given",
    "identity",
    "interval",
    "logistic",
    "oscillator",
    "rays",
    "shortened",
    "sine",
    "square",
    "task",
    "warn_of_tail",
    "waveform",
]
