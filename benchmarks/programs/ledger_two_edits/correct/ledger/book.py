class Book:
    def __init__(self):
        self.entries = []

    def post(self, account, amount):
        self.entries.append((account, amount))

    def balance(self, account):
        return sum(amount for name, amount in self.entries if name == account)

    def transfer(self, source, target, amount):
        """Move an amount from one account to another one."""
        self.post(source, -amount)
        self.post(target, amount)
