from settings import effective

print(effective({"a": "", "b": False, "c": None}, {"a": "x", "b": True, "c": 1, "d": 2}))
print(effective({"a": 0.0, "z": 9}, {"a": 4}))
