from intervals import merged

for case in ([], [(0, 9), (1, 2), (3, 12)], [(4, 5), (1, 8), (2, 3)], [(1, 1)], [(-3, 4), (-5, 9)]):
    print(merged(case))
