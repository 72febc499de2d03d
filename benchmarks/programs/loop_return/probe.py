from itertools import product

from checks import all_positive

print([all_positive(list(case)) for size in range(4) for case in product((-1, 0, 1), repeat=size)])
