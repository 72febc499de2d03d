class Node:
    def __init__(self, value, following=None):
        self.value = value
        self.following = following


def values(node):
    """The values from a node to the end."""
    found = []
    while node is not None:
        found.append(node.value)
        node = node.following
    return found


def reversed_chain(head):
    """The same nodes, the last one first."""
    before = None
    current = head
    while current is not None:
        following = current.following
        current.following = before
        current = following
    return before
