from bus.events import Bus
from bus.once import once

bus, seen = Bus(), []
for _ in range(3):
    once(bus, "a", seen.append)
    bus.subscribe("a", seen.append)
print([bus.publish("a", number) for number in range(3)], seen)
