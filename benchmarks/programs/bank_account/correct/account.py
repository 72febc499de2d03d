class Account:
    def __init__(self, balance=0, limit=0):
        self.balance = balance
        self.limit = limit
        self.history = []

    def withdraw(self, amount):
        """Take money; refused where it would go beyond the limit."""
        if amount > self.balance + self.limit:
            raise ValueError("not enough money")
        self.balance -= amount
        self.history.append(-amount)

    def deposit(self, amount):
        self.balance += amount
        self.history.append(amount)
