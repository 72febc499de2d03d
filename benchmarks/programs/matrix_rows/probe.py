from matrix import transposed, zeros

print(transposed([[1, 2, 3], [4, 5, 6]]), transposed([]), zeros(0, 2), transposed([[1], [2], [3]]))
