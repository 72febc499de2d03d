from itertools import product

from door.door import Door

for actions in product(("open", "close", "lock", "unlock"), repeat=3):
    door = Door()
    print([door.do(action) for action in actions], door.state, door.log)
