from machine import run

for program in ("1 2 -", "9 3 /", "1 2 3 - -", "8 2 - 3 *", "10 4 - 3 - 2 *"):
    print(run(program))
