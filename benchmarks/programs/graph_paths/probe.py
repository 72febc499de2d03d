from graph import reachable

graph = {1: [2, 3], 2: [4], 3: [4], 4: [1], 5: [6], 6: []}
for node in range(1, 8):
    print(sorted(reachable(graph, node)))
