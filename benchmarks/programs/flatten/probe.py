from flatten import flatten

for case in ([], [[]], [[[1]]], [1, [2, 3], [[4], 5]], [["a", ["b"]], "c"]):
    print(list(flatten(case)))
