from tree import Node
from tree.measure import depth

line = Node("end")
for number in range(6):
    line = Node(str(number), line, Node("side"))
    print(depth(line))
