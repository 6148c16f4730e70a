"""Clients of services that an application holds when its process is about to fork.

Two processes that share a connection mix it up: each reads answers to the other's requests.
Connections that their library is known to reopen are closed here, by the library's own public
means. The others are reported (fork_safety).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from cowherd_agent.clients import datasette_databases, executors, log_listeners, openmp, telemetry
from cowherd_agent.clients.recipe import Recipe
from cowherd_agent.clients.recipes import RECIPES
from cowherd_agent.fork_safety import databases, sockets
from cowherd_agent.fork_safety.advisory import Advisory
from cowherd_agent.fork_safety.descriptors import open_descriptors, without
from cowherd_agent.fork_safety.heap_search import HeapSearch

__all__ = ["close_known"]


def close_known(own_descriptors: Collection[int], advisory: Advisory) -> list[str]:
    """Closes what is known to come back; returns what was closed, in words.

    A client that raises is reported through `advisory` and left as it is.
    """
    attempt = advisory.attempt
    closed = list(attempt("sending what telemetry has queued", telemetry.flush) or ())
    attempt("following forks with log listeners", log_listeners.follow_forks)
    attempt("ending Datasette's writers", datasette_databases.end_writers)
    if attempt("ending idle threads of pools", executors.end_idle_threads):
        closed.append("idle threads of pools")
    attempt("closing Datasette's connections", datasette_databases.close_files)
    attempt("giving back OpenMP's threads", openmp.give_back_pools)
    closed += (
        attempt("the search for clients", lambda: _close_connections(own_descriptors, advisory))
        or ()
    )
    return closed


def _close_connections(own_descriptors: Collection[int], advisory: Advisory) -> list[str]:
    opened = without(open_descriptors(), own_descriptors)
    if not sockets.look(opened) and not databases.paths(opened):
        # Skip the search of the heap.
        return []
    recipes = [(recipe, recipe.loaded_classes()) for recipe in RECIPES]
    heap = HeapSearch([each for _, classes in recipes for each in classes])
    closed = [
        recipe.what
        for recipe, classes in recipes
        if classes and _close_all(recipe, heap.instances_of(classes), advisory)
    ]
    return list(dict.fromkeys(closed))


def _close_all(recipe: Recipe, instances: list[object], advisory: Advisory) -> bool:
    """Whether there was something to close. Closes each instance, even if another one raises."""
    return any(
        [
            advisory.attempt(f"closing {recipe.what}", partial(recipe.close, instance))
            for instance in instances
        ]
    )
