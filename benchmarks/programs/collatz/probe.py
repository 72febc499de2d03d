from collatz import steps

print([steps(number) for number in range(1, 40)])
