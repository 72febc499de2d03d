from search import find

for size in range(8):
    items = list(range(0, 2 * size, 2))
    print([find(items, wanted) for wanted in range(-1, 2 * size + 1)])
