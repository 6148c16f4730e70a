"""The clients whose connections Cowherd closes before a fork, by their own public means.

Each opens a connection again on its next use, in the mold or in a worker, so nobody has to be told.
Clients that can't do that are left alone and reported (fork_safety): a connection of psycopg or
sqlite3 that an application holds itself stays closed once it is closed.
"""

from __future__ import annotations

from typing import Any

from cowherd_agent.clients.recipe import Recipe


def _close_redis_pool(pool: Any) -> bool:
    # redis/connection.py: ConnectionPool.disconnect; the pool makes new connections at the next
    # command, and after a fork (`_checkpid`).
    pool.disconnect(inuse_connections=True)
    return True


def _dispose_engine(engine: Any) -> bool:
    # https://docs.sqlalchemy.org/en/20/core/pooling.html, "Using Connection Pools with
    # Multiprocessing": dispose() before the fork.
    if engine.dialect.name == "sqlite" and _is_in_memory(engine.url):
        # Closing the last connection would delete the database.
        return False
    engine.dispose()
    return True


def _is_in_memory(url: Any) -> bool:
    database = url.database
    return not database or database == ":memory:" or "mode=memory" in str(url)


def _clear_manager(manager: Any) -> bool:
    # urllib3/poolmanager.py: clear() closes all pools and forgets them; the next request makes one.
    manager.clear()
    return True


def _close_http_connection(connection: Any) -> bool:
    # Lib/http/client.py: after close() the next request connects (auto_open).
    if connection.sock is None:
        return False
    connection.close()
    return True


def _close_httpcore_pool(pool: Any) -> bool:
    # httpcore/_sync/connection_pool.py: close() closes the connections; the pool stays usable.
    pool.close()
    return True


def _close(client: Any) -> bool:
    # pymemcache/client/base.py, hash.py: close(); the next call connects.
    client.close()
    return True


def _disconnect_all(client: Any) -> bool:
    # pylibmc, python-memcached (memcache.py), python-binary-memcached: disconnect_all().
    client.disconnect_all()
    return True


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "Redis connection pools",
        (("redis.connection", "ConnectionPool"), ("valkey.connection", "ConnectionPool")),
        _close_redis_pool,
    ),
    Recipe("SQLAlchemy engines", (("sqlalchemy.engine.base", "Engine"),), _dispose_engine),
    # requests, botocore, Sentry and OpenTelemetry's exporters use urllib3 pools.
    Recipe("urllib3 pools", (("urllib3.poolmanager", "PoolManager"),), _clear_manager),
    # httpx uses httpcore, which has also been released under this second name.
    Recipe(
        "httpcore pools",
        (
            ("httpcore._sync.connection_pool", "ConnectionPool"),
            ("httpcore2._sync.connection_pool", "ConnectionPool"),
        ),
        _close_httpcore_pool,
    ),
    # After the pools, which hold such connections.
    Recipe("HTTP connections", (("http.client", "HTTPConnection"),), _close_http_connection),
    Recipe(
        "memcached clients",
        (
            ("pymemcache.client.base", "Client"),
            ("pymemcache.client.base", "PooledClient"),
            ("pymemcache.client.hash", "HashClient"),
        ),
        _close,
    ),
    Recipe(
        "memcached clients",
        (("pylibmc.client", "Client"), ("memcache", "Client"), ("bmemcached.client", "Client")),
        _disconnect_all,
    ),
    # gunicorn/dirty/client.py, stash.py: close(); the next call connects.
    Recipe(
        "clients of gunicorn's dirty arbiter",
        (("gunicorn.dirty.client", "DirtyClient"), ("gunicorn.dirty.stash", "StashClient")),
        _close,
    ),
)
