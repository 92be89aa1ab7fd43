"""Promise: `make mutants` counts and names what it found, and knows the tests of each file."""

import mutants
import pytest

OLD = "def f(x):\n    y = x + 1\n    return y\n"
NEW = OLD.replace("+", "-")
CHANGE = "`y = x + 1` → `y = x - 1`"


def test_every_file_has_tests_that_promise_it():
    for path in mutants.files():
        tests = mutants.tests_of(path)
        assert tests, path
        assert all((mutants.ROOT / test).is_file() for test in tests), path


def test_a_change_is_named_by_its_lines():
    assert mutants.change_of(OLD, NEW) == CHANGE


@pytest.mark.parametrize(
    ("survivors", "listed", "enough"),
    [(0, "", True), (1, "", False), (1, f"a.py: {CHANGE}", True), (2, CHANGE, False)],
)
def test_nine_tenths_must_be_noticed_and_the_others_listed(capsys, survivors, listed, enough):
    found = [(mutants.Mutant("a.py", NEW, CHANGE), k < survivors) for k in range(10)]
    assert mutants.report(found, listed) == enough
    said = capsys.readouterr().out
    assert f"a.py: {10 - survivors} of 10" in said
    assert f"all: {10 - survivors} of 10, {100 - 10 * survivors}.0%, exact 95% interval" in said
    assert said.count(CHANGE) == survivors
    assert ("NOT LISTED" in said) == (bool(survivors) and "a.py" not in listed)


def test_a_changed_file_is_put_back(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(OLD)
    before = file.stat().st_mtime_ns
    with mutants.changed(tmp_path, mutants.Mutant("a.py", NEW)):
        assert file.read_text() == NEW
        assert file.stat().st_mtime_ns != before
    assert (file.read_text(), file.stat().st_mtime_ns) == (OLD, before)
