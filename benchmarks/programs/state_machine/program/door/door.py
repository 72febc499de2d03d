from .states import MOVES, State


class Door:
    def __init__(self):
        self.state = State.CLOSED
        self.log = []

    def do(self, action):
        """Move to the next state, and say whether that was possible."""
        following = MOVES.get((self.state, action))
        if following is None:
            self.log.append(f"cannot {action}")
            return False
        self.log.append(f"{self.state.value} -> {following.value}")
        self.state = following
        return True
