"""What people read while a run goes on: a progress bar, or a line now and then.

Counts, bytes and times are put into words here.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

SECONDS_PER_LINE = 30  # between two lines, where there is no bar


def in_notebook() -> bool:
    """Whether this process is the kernel of a Jupyter notebook.

    Its standard error goes to no terminal, and yet a bar can be shown.
    """
    module = sys.modules.get("IPython")
    if not module:
        return False
    return type(module.get_ipython()).__name__ == "ZMQInteractiveShell"


@contextmanager
def bar(
    total: int, progress: bool, note: Callable[[], str] = str, unit: str = " steps"
) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how much is done, and shows it.

    It shows a bar on a terminal or in a notebook, and elsewhere a line now and then.

    Args:
        total: how much there is to do.
        progress: whether anything is shown at all.
        note: gives a few words that are shown too.
        unit: what is counted.
    """
    if not progress:
        yield lambda done: None
        return
    if not (sys.stderr.isatty() or in_notebook()):
        yield line_printer(total, note)
        return
    with tqdm(
        total=total, unit=unit, unit_scale=True, delay=2, leave=False, dynamic_ncols=True
    ) as shown:

        def update(done: int) -> None:
            shown.set_postfix_str(note(), refresh=False)
            shown.update(done - shown.n)

        yield update


def line_printer(total: int, note: Callable[[], str]) -> Callable[[int], None]:
    """A function that is told how much is done, and prints a line about it every half minute."""
    began = printed = time.monotonic()

    def update(done: int) -> None:
        nonlocal printed
        now = time.monotonic()
        if now - printed <= SECONDS_PER_LINE or not done:
            return
        printed = now
        left = (now - began) * (total - done) / done
        text = f"  {done / total:.0%} after {duration(now - began)}, {duration(left)} left"
        if more := note():
            text += f"; {more}"
        print(text, file=sys.stderr, flush=True)

    return update


def plural(count: int, thing: str) -> str:
    """A count of things in words, such as "1 training" or "2,000 trainings"."""
    if count == 1:
        return f"{count:,} {thing}"
    return f"{count:,} {thing}s"


def size(count: int | float) -> str:
    """A number of bytes in words, such as "1.5 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def duration(seconds: int | float) -> str:
    """A time in words, such as "2.5 s", "30 s", "12 min" or "3.4 h"."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
