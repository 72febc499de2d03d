def unique(items):
    """The items without repetitions, in the order of their first occurrence."""
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


def trimmed(lines):
    """The lines without blanks at their ends; those before the text stay."""
    return [line.strip() for line in lines]
