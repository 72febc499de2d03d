from inventory.store import Store

store = Store()
store.receive("a", 5)
for count in (2, 2, 2, 1, 1):
    print(store.reserve("a", count), store.items["a"].available)
print(store.ship("a", 3), store.reserve("a", 1))
