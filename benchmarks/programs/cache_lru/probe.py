from cache.lru import Cache

cache = Cache(3)
for number, key in enumerate("abcadbea"):
    cache.put(key, number)
    print(cache.keys(), cache.get("a"), cache.get("c"))
