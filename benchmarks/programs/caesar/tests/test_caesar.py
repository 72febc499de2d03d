from caesar import decrypt, encrypt


def test_encrypt():
    assert encrypt("Abc, xyz", 3) == "Def, abc"


def test_round_trip():
    assert decrypt(encrypt("Hello", 5), 5) == "Hello"


def test_no_key():
    assert decrypt("Same", 0) == "Same"
