from temperature import mean, to_celsius

print([round(to_celsius(value), 6) for value in range(-100, 300, 23)], round(mean([50, 59]), 6))
