def flatten(items):
    """The leaves of lists in lists, in order."""
    for item in items:
        if isinstance(item, list):
            yield flatten(item)
        else:
            yield item
