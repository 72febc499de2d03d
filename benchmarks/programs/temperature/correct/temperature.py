def to_celsius(fahrenheit):
    return (fahrenheit - 32) * 5 / 9


def to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


def mean(readings):
    """The mean in Celsius of readings in Fahrenheit."""
    return sum(to_celsius(reading) for reading in readings) / len(readings)
