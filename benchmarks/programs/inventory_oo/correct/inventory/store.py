from .item import Item


class Store:
    def __init__(self):
        self.items = {}

    def receive(self, name, count):
        item = self.items.setdefault(name, Item(name))
        item.count += count
        return item

    def reserve(self, name, count):
        """Put some aside; False where there are not enough."""
        item = self.items.get(name)
        if item is None or item.available < count:
            return False
        item.reserved += count
        return True

    def ship(self, name, count):
        """What was reserved leaves the store."""
        item = self.items[name]
        item.reserved -= count
        item.count -= count
        return item.count
