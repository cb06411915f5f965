"""Every way for a test of pytest to end."""

import pytest


def test_passes(till, capsys):
    """And prints."""
    print("printed")
    assert capsys.readouterr().out == "printed\n"


def test_fails(till):
    """An assertion."""
    assert [1, 2] == [1, 3]


@pytest.mark.xfail
def test_fails_as_expected():
    """Green."""
    assert False


@pytest.mark.xfail
def test_passes_unexpectedly():
    """Green as well."""


@pytest.mark.xfail(strict=True)
def test_passes_though_it_must_not():
    """Red."""


@pytest.mark.slow
def test_skips_itself():
    """Green."""
    pytest.skip("no scales")


def test_subtests(subtests):
    """Red, by one of three."""
    for number in range(3):
        with subtests.test("number", number=number):
            assert number != 1


@pytest.fixture
def broken():
    """Cannot be set up."""
    raise LookupError("no such thing")


def test_set_up_fails(broken):
    """An error."""


def test_tear_down_fails(till):
    """The module's fixture finds what this leaves."""
    till.append(1)
