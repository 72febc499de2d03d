from caesar import decrypt, encrypt

for key in (-30, -1, 1, 7, 13, 25, 26, 40):
    print(encrypt("Zebra & Quick", key), decrypt("Zebra & Quick", key))
