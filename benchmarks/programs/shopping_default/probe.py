from basket import add

mine = []
print(add(1), add(2), add(3, mine) is mine, mine, add(4))
