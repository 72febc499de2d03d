from handlers import apply_all, multipliers

print(apply_all(multipliers([0, -1, 5]), 3), apply_all(multipliers([]), 1))
