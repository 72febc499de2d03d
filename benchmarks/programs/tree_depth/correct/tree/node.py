class Node:
    def __init__(self, name, *children):
        self.name = name
        self.children = list(children)

    def walk(self):
        """This node and all below, from the top."""
        yield self
        for child in self.children:
            yield from child.walk()
