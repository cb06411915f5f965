"""Fixtures of the shop's tests."""

import pytest
from shop.models import Product


@pytest.fixture
def coffee(db):
    """A second product."""
    return Product.objects.create(name="coffee")


@pytest.fixture(scope="module")
def till():
    """Shared by a module."""
    money = []
    yield money
    assert not money, "the till is not empty"
