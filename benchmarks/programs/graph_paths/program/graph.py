def reachable(graph, start):
    """All nodes that can be reached, the start included."""
    seen = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        waiting.extend(graph.get(node, ()))
    return seen
