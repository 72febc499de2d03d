class Bus:
    """Calls those who subscribed to an event."""

    def __init__(self):
        self._handlers = {}

    def subscribe(self, name, handler):
        self._handlers.setdefault(name, []).append(handler)

    def unsubscribe(self, name, handler):
        self._handlers[name].remove(handler)

    def publish(self, name, payload):
        """How many were called; each may unsubscribe meanwhile."""
        called = 0
        for handler in list(self._handlers.get(name, [])):
            handler(payload)
            called += 1
        return called
