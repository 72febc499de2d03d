def once(bus, name, handler):
    """Subscribe for one event only."""

    def wrapper(payload):
        bus.unsubscribe(name, wrapper)
        handler(payload)

    bus.subscribe(name, wrapper)
