from leap import days_in, is_leap

print([year for year in range(1580, 2420) if is_leap(year)])
print(days_in(2100), days_in(2400))
