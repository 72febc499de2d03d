from schedule.clock import minutes_of, text_of
from schedule.plan import overlap, slots


def test_clock():
    assert minutes_of("01:30") == 90
    assert text_of(125) == "02:05"


def test_slots():
    assert slots("09:00", "10:00", 20) == ["09:00", "09:20", "09:40"]


def test_with_pauses():
    assert slots("09:00", "10:00", 25, pause=10) == ["09:00", "09:35"]


def test_overlap():
    assert overlap(("09:00", "10:00"), ("09:30", "11:00")) == 30
    assert overlap(("09:00", "10:00"), ("12:00", "13:00")) == 0
