def neighbours(row, column, height, width):
    """The cells next to one, inside the grid."""
    found = []
    for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        r, c = row + down, column + right
        if 0 <= r < height and 0 <= c < width:
            found.append((r, c))
    return found


def living(grid):
    return sum(cell for line in grid for cell in line)
