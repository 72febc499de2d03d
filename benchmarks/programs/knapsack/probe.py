from knapsack import most_value

items = [(1, 2), (3, 7), (4, 8), (5, 11), (2, 1)]
print([most_value(capacity, items[:count]) for capacity in range(1, 12) for count in range(6)])
