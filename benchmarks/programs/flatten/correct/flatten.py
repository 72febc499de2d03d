def flatten(items):
    """The leaves of lists in lists, in order."""
    for item in items:
        if isinstance(item, list):
            yield from flatten(item)
        else:
            yield item
