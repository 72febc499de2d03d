from schedule.plan import slots

for length in (15, 30, 45):
    for pause in (0, 5, 20):
        print(slots("08:10", "11:00", length, pause))
