def subsets(items):
    """All subsets of a list, each in the order of the list."""
    if not items:
        return []
    rest = subsets(items[1:])
    return rest + [[items[0], *subset] for subset in rest]
