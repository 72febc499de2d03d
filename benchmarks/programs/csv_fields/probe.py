from fields import split_fields

for line in ("", ",", "a,", ",a", 'x,"y,z"', '"q"'):
    print(split_fields(line))
