from grid import neighbours

for height, width in ((1, 5), (4, 2), (3, 3)):
    for row in range(height):
        print([neighbours(row, column, height, width) for column in range(width)])
