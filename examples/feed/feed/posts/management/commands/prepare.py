"""`python manage.py prepare`: makes, migrates and fills the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from feed.posts.filling import fill
from feed.posts.models import Post
from feed.sizes import SIZES

FILLED = 1
"""SQLite's `user_version` of a database that is migrated and filled."""


class Command(BaseCommand):
    help = "Makes, migrates and fills the database; does nothing where that is done."
    # The checks would import the URLs, which load the site's data: seconds for nothing.
    requires_system_checks: ClassVar[list[str]] = []

    def handle(self, *args: object, **options: object) -> None:
        path = Path(connection.settings_dict["NAME"])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone_in(path.parent):
                self.prepare(path)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except DatabaseError as error:
            raise CommandError(f"{path}: {error}") from error

    def prepare(self, path: Path) -> None:
        with connection.cursor() as cursor:
            if cursor.execute("PRAGMA user_version").fetchone()[0] == FILLED:
                self.stdout.write(f"{path}: ready")
                return
        call_command("migrate", interactive=False, verbosity=0)
        # A run that was killed may have left the rows without the mark.
        if not Post.objects.exists():
            fill(SIZES.users, SIZES.posts)
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA user_version = {FILLED}")
        self.stdout.write(f"{path}: made, with {SIZES.users} users and {SIZES.posts} posts")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other `prepare` runs in this folder.

    The folder itself is locked, so no lock file stays behind; the kernel frees the lock of a
    process that dies (flock(2)).
    """
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder_fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder_fd)
