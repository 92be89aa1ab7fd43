"""Promise: verdicts of the book of published numbers follow from its results, as its page says."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent / "published"))

import book
import page
from verdicts import DIFFERS, REPRODUCED, UNDECIDED, Exact, Mean, Run, Share

CHEAP = [name for name, entry in book.ENTRIES.items() if entry.cheap]


def verdict(number, values):
    """The verdict on a number, from values of ours."""
    return number.judged(number.evidence(values))


def test_a_difference_of_shares_has_newcombes_interval():
    """R. G. Newcombe 1998, table II, the first example: 56 of 70 and 48 of 80."""
    share = Share("", 48 / 80, 80)
    found = share.difference(share.evidence(np.arange(70) < 56))
    np.testing.assert_allclose(found, (0.0524, 0.3339), atol=5e-5)


@pytest.mark.parametrize(
    ("number", "values", "wanted"),
    [
        (Share("", 0.9, 100), np.arange(1_000) < 900, REPRODUCED),
        (Share("", 0.9, 100), np.arange(1_000) < 700, DIFFERS),
        (Share("", 0.5, 10), np.arange(10) < 5, UNDECIDED),
        (Share("", 0.5), np.arange(1_000) < 500, REPRODUCED),
        (Share("", 0.5), np.arange(1_000) < 560, DIFFERS),
        (Run("", 500.0, 0.5), np.arange(1_000), REPRODUCED),
        (Run("", 1_001.0, 0.5), np.arange(1_000), DIFFERS),
        (Run("", 25.0, 0.5), np.arange(1_000), UNDECIDED),
        (Run("", 0.3, 0.0), np.where(np.arange(1_000) > 0, np.nan, 0.0), DIFFERS),
        (Mean("", 1.0, 0.0, wide=0.5), np.tile([0.9, 1.1], 50), REPRODUCED),
        (Mean("", 1.1, 0.0, wide=0.5), np.tile([0.9, 1.1], 50), DIFFERS),
        (Mean("", 1.0, 10.0, wide=0.5), np.tile([0.9, 1.1], 50), UNDECIDED),
        (Exact("", 0.82, 5e-3), 0.8176, REPRODUCED),
        (Exact("", 0.82, 5e-3), 0.8251, DIFFERS),
    ],
)
def test_verdicts(number, values, wanted):
    assert verdict(number, values) == wanted


def test_the_committed_results_have_every_number_of_their_entries_and_the_page_is_made_of_them():
    found = book.results()
    assert len(found) >= 12
    assert list(found) == [name for name in book.ENTRIES if name in found]
    assert set(CHEAP) <= set(found)
    for name in found:
        entry = book.ENTRIES[name]
        assert list(found[name]["numbers"]) == list(entry.numbers)
        verdicts = {each.judged(found[name]["numbers"][key]) for key, each in entry.numbers.items()}
        assert verdicts <= {REPRODUCED, DIFFERS, UNDECIDED}
    assert book.PAGE.read_text() == page.page(book.ENTRIES, found), "run book.py --page"


def test_an_unknown_entry_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit):
        book.main(["nmuu"])
    assert "unknown entry 'nmuu'; there is: nmu" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEAP)
def test_the_cheapest_entries_have_the_committed_verdicts_when_they_are_trained_anew(name):
    """Other bits on another processor move a number by little; verdicts near an edge may differ."""
    numbers = book.ENTRIES[name].numbers
    committed, anew = book.results()[name]["numbers"], book.trained(name)["numbers"]
    for key, number in numbers.items():
        before, now = number.judged(committed[key]), number.judged(anew[key])
        assert now == before or UNDECIDED in (now, before), number.text
