from dataclasses import dataclass


@dataclass
class Item:
    name: str
    count: int = 0
    reserved: int = 0

    @property
    def available(self):
        return self.count - self.reserved
