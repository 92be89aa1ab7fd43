"""What to learn: data, loss, and the points where a network is judged.

`data` makes a task of any function or data set; the others are the catalogue.
"""

from approx.tasks.classes import interval
from approx.tasks.curves import Curve, sine, square
from approx.tasks.data import STATIC, Given, Points, Task, check_finite, given, rays, task

__all__ = [
    "STATIC",
    "Curve",
    "Given",
    "Points",
    "Task",
    "check_finite",
    "given",
    "interval",
    "rays",
    "sine",
    "square",
    "task",
]
