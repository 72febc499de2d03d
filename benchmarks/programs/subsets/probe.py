from subsets import subsets

for count in range(5):
    print(sorted(subsets(list("abcd"[:count]))))
