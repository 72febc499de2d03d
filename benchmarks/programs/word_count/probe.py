from words import counts, most_common

for text in ("one two One", "z", "b b a a", "The the THE cat"):
    print(counts(text), most_common(text))
