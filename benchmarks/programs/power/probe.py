from power import power

print([power(base, exponent) for base in (-3, 0, 1, 2, 10) for exponent in range(7)])
