from primes import primes_below

for limit in (0, 1, 3, 11, 30, 100):
    print(primes_below(limit))
