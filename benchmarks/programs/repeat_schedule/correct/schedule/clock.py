MINUTES = 60


def minutes_of(text):
    """`HH:MM` as minutes since midnight."""
    hours, minutes = text.split(":")
    return int(hours) * MINUTES + int(minutes)


def text_of(minutes):
    return f"{minutes // MINUTES:02}:{minutes % MINUTES:02}"
