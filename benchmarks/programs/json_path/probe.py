from lookup import lookup

data = {"a": {"b": {"c": 3}, "n": None}, "e": {}}
for path in "a a.b a.b.c a.b.x a.n.q e.f g a.b.c.d".split():
    print(lookup(data, path), lookup(data, path, "none"))
