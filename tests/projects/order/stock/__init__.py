"""How many boxes an order takes."""

ROUNDING = "up"


def boxes(items, size):
    """Whole boxes for some items."""
    whole, rest = divmod(items, size)
    return whole + (1 if rest and ROUNDING == "up" else 0)
