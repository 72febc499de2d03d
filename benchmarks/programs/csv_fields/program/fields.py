def split_fields(line):
    """The fields of a line of comma separated values; quotes keep a comma."""
    fields = []
    current = ""
    quoted = False
    for letter in line:
        if letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            fields.append(current)
            current = ""
        else:
            current += letter
    return fields
