def effective(settings, defaults):
    """Each setting, or its default where it is not set."""
    result = {}
    for name, default in defaults.items():
        value = settings.get(name)
        result[name] = value if value is not None else default
    return result
