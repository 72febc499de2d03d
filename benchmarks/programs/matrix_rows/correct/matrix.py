def zeros(rows, columns):
    return [[0] * columns for _ in range(rows)]


def transposed(matrix):
    if not matrix:
        return []
    result = zeros(len(matrix[0]), len(matrix))
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            result[j][i] = value
    return result
