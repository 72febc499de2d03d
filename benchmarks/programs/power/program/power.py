def power(base, exponent):
    """`base ** exponent`, by squaring."""
    half = power(base, exponent // 2)
    if exponent % 2 == 0:
        return half * half
    return half * half * base
