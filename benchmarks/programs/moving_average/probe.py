from average import moving

for size in (1, 2, 3):
    for length in range(6):
        print(moving(list(range(length)), size))
