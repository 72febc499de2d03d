from bus.once import once


def test_publish(bus, seen):
    bus.subscribe("x", seen.append)
    assert bus.publish("x", 1) == 1
    assert seen == [1]


def test_nobody(bus):
    assert bus.publish("y", 1) == 0


def test_two_that_want_one_event_each(bus, seen):
    once(bus, "x", seen.append)
    once(bus, "x", seen.append)
    assert bus.publish("x", 1) == 2
    assert bus.publish("x", 2) == 0
    assert seen == [1, 1]
