def lookup(data, path, default=None):
    """What stands at `a.b.c` in dictionaries in dictionaries."""
    for key in path.split("."):
        if not isinstance(data, dict):
            return default
        data = data[key]
    return data
