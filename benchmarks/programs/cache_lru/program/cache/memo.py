from .lru import Cache


def memo(size):
    """A decorator that keeps the results of the last calls."""

    def decorate(function):
        cache = Cache(size)
        missing = object()

        def wrapper(*args):
            value = cache.get(args, missing)
            if value is missing:
                value = function(*args)
                cache.put(args, value)
            return value

        wrapper.cache = cache
        return wrapper

    return decorate
