from shop.cart import Cart
from shop.receipt import receipt

for discount in (0, 1, 7, 33, 100):
    cart = Cart(discount)
    for number in range(1, 4):
        cart.add(f"thing {number}", 99 * number, number)
        print(cart.total(), receipt(cart))
