def primes_below(limit):
    """All primes below a limit."""
    is_prime = [True] * max(limit, 2)
    is_prime[0] = is_prime[1] = False
    for number in range(2, limit):
        if is_prime[number]:
            for multiple in range(2 * number, limit, number):
                is_prime[multiple] = False
    return [number for number in range(2, limit) if is_prime[number]]
