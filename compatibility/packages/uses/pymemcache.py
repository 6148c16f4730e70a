"""A pooled client made at import, which connects at each worker's first request."""

import os

from pymemcache.client.base import PooledClient

client = PooledClient(("127.0.0.1", int(os.environ["COWHERD_MEMCACHED_PORT"])), max_pool_size=2)


def answer(number: int) -> str:
    key = f"pymemcache-{number}"
    client.set(key, str(number * 3))
    several = client.get_many([key, "pymemcache-none"])
    return str({name: value.decode() for name, value in sorted(several.items())})
