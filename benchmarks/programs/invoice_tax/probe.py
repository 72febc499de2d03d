from billing.invoice import gross, invoice

for kind in ("food", "book", "tool", "other", "stamp"):
    print([gross(net, kind) for net in (0, 1, 50, 999, 12345)])
print(invoice([(33, "other"), (67, "book"), (5, "stamp")]))
