"""A small site with its own database, set up once for all tests of this folder."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.core.management import call_command
from django.test import Client

SITE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Sets up the site in this process, with 8 MiB of data. Gives the path of its database."""
    database = tmp_path_factory.mktemp("feed") / "feed.sqlite3"
    environment = {
        "DJANGO_SETTINGS_MODULE": "feed.settings",
        "FEED_HEAP_MIB": "8",
        "FEED_CACHE_MIB": "2",
        "FEED_USERS": "30",
        "FEED_POSTS": "600",
        "FEED_DATABASE": str(database),
        "FEED_ALLOWED_HOSTS": "localhost",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        if str(SITE) not in sys.path:
            patch.syspath_prepend(str(SITE))
        django.setup()
        call_command("prepare", verbosity=0)
        yield database


@pytest.fixture
def client(site: Path) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def small_environment(tmp_path: Path) -> dict[str, str]:
    """Environment of a small site in another process."""
    return {
        **os.environ,
        "FEED_HEAP_MIB": "1",
        "FEED_USERS": "20",
        "FEED_POSTS": "200",
        "FEED_DATABASE": str(tmp_path / "feed.sqlite3"),
    }
