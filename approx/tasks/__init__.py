"""What to learn: data, loss, and the points where a network is judged.

`data` makes a task of any function or data set; the others are the catalogue.
"""

from approx.tasks.autoencoders import Identity, identity
from approx.tasks.classes import Waveform, clusters, interval, waveform
from approx.tasks.curves import Curve, sine, square
from approx.tasks.data import STATIC, Given, Points, Task, check_finite, given, rays, task

__all__ = [
    "STATIC",
    "Curve",
    "Given",
    "Identity",
    "Points",
    "Task",
    "Waveform",
    "check_finite",
    "clusters",
    "given",
    "identity",
    "interval",
    "rays",
    "sine",
    "square",
    "task",
    "waveform",
]
