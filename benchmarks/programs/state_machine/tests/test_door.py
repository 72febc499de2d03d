from door.door import Door
from door.states import State


def test_open_and_close():
    door = Door()
    assert door.do("open")
    assert door.do("close")
    assert door.state is State.CLOSED


def test_impossible():
    door = Door()
    assert not door.do("unlock")
    assert door.log == ["cannot unlock"]


def test_unlocked_is_closed():
    door = Door()
    door.do("lock")
    door.do("unlock")
    assert door.state is State.CLOSED
