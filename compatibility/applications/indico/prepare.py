"""Steps before `indico db prepare`: folders, log settings, PostgreSQL's extensions."""

import os
import shutil
from pathlib import Path

import indico
import psycopg2

for name in ("cache", "tmp", "log", "archive"):
    Path(name).mkdir()
shutil.copy(Path(indico.__file__).parent / "logging.yaml.sample", "logging.yaml")
connection = psycopg2.connect(os.environ["SITE_DATABASE"])
connection.autocommit = True
for extension in ("unaccent", "pg_trgm"):
    connection.cursor().execute(f"CREATE EXTENSION {extension}")
