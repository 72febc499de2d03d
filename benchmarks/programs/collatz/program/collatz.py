def steps(number):
    """How many steps it takes to get to 1."""
    count = 0
    while number != 1:
        if number % 2 == 0:
            number = number // 2
        else:
            number = 3 * number - 1
        count += 1
    return count
