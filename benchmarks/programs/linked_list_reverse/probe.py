from chain import Node, reversed_chain, values


def make(*items):
    head = None
    for item in reversed(items):
        head = Node(item, head)
    return head


for count in range(6):
    print(values(reversed_chain(make(*range(count)))) if count else reversed_chain(None))
