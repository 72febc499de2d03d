from account import Account

for balance in (0, 10, 30):
    for limit in (0, 7, 20):
        for amount in (0, 10, 17, 20, 31, 50, 60):
            account = Account(balance, limit)
            try:
                account.withdraw(amount)
            except ValueError:
                print("refused", end=" ")
            print(account.balance, account.history)
