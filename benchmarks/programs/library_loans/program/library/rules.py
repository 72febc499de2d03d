from datetime import timedelta

LOAN_DAYS = 14
MOST_LOANS = 3


def may_borrow(loans):
    """Whether someone with that many loans may have another one."""
    return loans < MOST_LOANS


def due(day):
    return day + timedelta(days=LOAN_DAYS)


def is_late(today, due_day):
    return today >= due_day
