"""Prices of a cart, in cents."""


def discount(cents):
    """Five per cent from 100.00 on."""
    return cents // 20 if cents >= 100_00 else 0


def shipping(cents, express=False):
    if cents == 0:
        return 0
    return 12_00 if express else 0 if cents >= 50_00 else 4_90


def total(cents):
    return cents - discount(cents) + shipping(cents)
