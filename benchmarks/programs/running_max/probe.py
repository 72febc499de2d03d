from profit import best_profit

for prices in ([3, 8, 2, 5], [1], [5, 5], [9, 1, 10, 2], [4, 6, 1, 2, 9, 3], [10, 20, 5, 7]):
    print(best_profit(prices))
