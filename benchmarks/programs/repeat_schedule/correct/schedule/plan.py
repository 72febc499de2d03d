from .clock import minutes_of, text_of


def slots(start, end, length, pause=0):
    """The beginnings of meetings of that length, with pauses between them."""
    found = []
    at = minutes_of(start)
    while at + length <= minutes_of(end):
        found.append(text_of(at))
        at += length + pause
    return found


def overlap(one, other):
    """How many minutes two spans have in common."""
    begin = max(minutes_of(one[0]), minutes_of(other[0]))
    end = min(minutes_of(one[1]), minutes_of(other[1]))
    return max(end - begin, 0)
