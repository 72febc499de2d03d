"""Amounts in cents."""


def percent_of(amount, percent):
    """A part of an amount, rounded half up."""
    return (amount * percent + 50) // 100


def shown(amount):
    return f"{amount // 100}.{amount % 100:02}"
