"""Graphs; its plugins are searched for at import."""

import networkx as nx

graph = nx.gnm_random_graph(60, 150, seed=1)


def answer(number: int) -> str:
    path = nx.shortest_path_length(graph, source=number)
    rank = nx.pagerank(graph)
    tree = nx.minimum_spanning_tree(nx.grid_2d_graph(3, number % 5 + 2))
    return f"{number} {sum(path.values())} {rank[number]:.9f} {tree.number_of_edges()}"
