"""What people read while a run goes on: a bar or a line now and then, and counts, bytes and seconds
in words.
"""

import sys
import time
from collections.abc import Callable
from contextlib import contextmanager

from tqdm.auto import tqdm


def in_notebook() -> bool:
    """Whether this runs in a Jupyter notebook: its kernel is IPython's, and its errors go to no
    terminal.
    """
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell else None
    return type(found).__name__ == "ZMQInteractiveShell"


@contextmanager
def bar(total: int, progress: bool, note: Callable[[], str] = str):
    """Something to tell how much is done: a bar on a terminal or in a notebook, elsewhere a line
    now and then.

    `note` says more.
    """
    if not progress:
        yield lambda done: None
    elif sys.stderr.isatty() or in_notebook():
        with tqdm(
            total=total, unit=" steps", unit_scale=True, delay=2, leave=False, dynamic_ncols=True
        ) as shown:

            def update(done: int) -> None:
                shown.set_postfix_str(note(), refresh=False)
                shown.update(done - shown.n)

            yield update
    else:
        began = said = time.monotonic()

        def line(done: int) -> None:
            nonlocal said
            if time.monotonic() - said > 30 and done:
                said = time.monotonic()
                left = (said - began) * (total - done) / done
                more = f"; {text}" if (text := note()) else ""
                text = f"  {done / total:.0%} after {duration(said - began)}, {duration(left)} left{more}"
                print(text, file=sys.stderr, flush=True)

        yield line


def plural(count: int, thing: str) -> str:
    """A count for people."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def size(count: int | float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def duration(seconds: int | float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
