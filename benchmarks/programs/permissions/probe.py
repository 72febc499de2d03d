from access.rules import may
from access.users import User

for roles in (set(), {"reader"}, {"writer"}, {"admin"}):
    for active in (True, False):
        user = User("u", frozenset(roles), active)
        print([may(user, action, owner) for action in ("read", "write", "delete") for owner in ("u", "v", None)])
