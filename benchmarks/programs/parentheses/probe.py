from itertools import product

from brackets import is_balanced

for length in range(5):
    print([is_balanced("".join(letters)) for letters in product("()[]", repeat=length)])
