"""Promise: no number, name, dimension or attribute of a statistic changes unnoticed."""

import json

import pytest
from recorded_statistics import CASES, DEFAULTS, RECORDED, defaults, plain

from approx import stats

NO_STATISTICS = {"Claim", "Reported"}  # what statistics are made of
TESTED_ELSEWHERE = {"read_claims", "write_claims"}  # with the files that they read and write
WANTED = json.loads(RECORDED.read_text())


def compare(found, wanted, place):
    """Words and structure are equal; numbers to the last digits, as processors round them."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), place
        for name in wanted:
            compare(found[name], wanted[name], f"{place}, {name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), place
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            compare(one, other, f"{place}[{number}]")
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-9), place
    else:
        assert type(found) is type(wanted), place
        assert found == wanted, place


@pytest.mark.parametrize("name", CASES)
def test_a_statistic_gives_what_was_recorded(name):
    compare(json.loads(json.dumps(plain(CASES[name]()))), WANTED[name], name)


def test_every_statistic_is_recorded():
    assert list(WANTED) == list(CASES)
    functions = {name for name in stats.__all__ if callable(getattr(stats, name))}
    recorded = {name.split(",")[0] for name in CASES}
    assert functions - NO_STATISTICS - TESTED_ELSEWHERE == recorded


def test_what_is_taken_where_nothing_is_said_is_what_was_recorded():
    wanted = json.loads(DEFAULTS.read_text())
    assert json.loads(json.dumps(defaults())) == wanted
