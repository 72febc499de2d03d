def depth(node):
    """How many nodes the longest way down has."""
    if not node.children:
        return 1
    return 1 + max(depth(child) for child in node.children)


def size(node):
    return sum(1 for _ in node.walk())


def find(node, name):
    """The first node of that name, or None."""
    return next((found for found in node.walk() if found.name == name), None)
