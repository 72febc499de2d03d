from enum import Enum


class State(Enum):
    OPEN = "open"
    CLOSED = "closed"
    LOCKED = "locked"


MOVES = {
    (State.OPEN, "close"): State.CLOSED,
    (State.CLOSED, "open"): State.OPEN,
    (State.CLOSED, "lock"): State.LOCKED,
    (State.LOCKED, "unlock"): State.CLOSED,
}
