from fizz import word

print([word(number) for number in range(100)])
