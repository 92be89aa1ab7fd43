"""Errors that say which row of a study they are about."""

from collections.abc import Iterator
from contextlib import contextmanager

KINDS = (TypeError, ValueError, MemoryError)  # of errors that are for the user to mend


@contextmanager
def naming_row(what: str) -> Iterator[None]:
    """Put the name of a row before an error.

    The error is then a plain TypeError, ValueError or MemoryError: those of JAX cannot be made from
    a text.
    """
    try:
        yield
    except KINDS as error:
        kind = next(one for one in KINDS if isinstance(error, one))
        raise kind(f"{what}: {error}") from error
