ALLOWED = {
    "read": {"reader", "writer", "admin"},
    "write": {"writer", "admin"},
    "delete": {"admin"},
}


def may(user, action, owner=None):
    """Whether a user may do something; owners may always read and write their own."""
    if not user.active:
        return False
    if owner == user.name and action == "delete":
        return True
    return bool(ALLOWED.get(action, set()) & user.roles)
