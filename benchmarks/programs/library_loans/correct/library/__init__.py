from .loans import Library

__all__ = ["Library"]
