"""The required settings of NetBox."""

import os

ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": "postgres",
        "PASSWORD": "",
        "HOST": "127.0.0.1",
        "PORT": os.environ["PGPORT"],
        "CONN_MAX_AGE": 300,
    }
}
REDIS = {
    name: {
        "HOST": "127.0.0.1",
        "PORT": int(os.environ["REDIS_PORT"]),
        "USERNAME": "",
        "PASSWORD": "",
        "DATABASE": number,
        "SSL": False,
    }
    for number, name in enumerate(["tasks", "caching"])
}
SECRET_KEY = "a-secret-of-the-test-that-is-long-enough-to-please-netbox-itself"
API_TOKEN_PEPPERS = {1: "a-pepper-of-the-test-that-is-long-enough-to-please-netbox-itself"}
ISOLATED_DEPLOYMENT = True
RELEASE_CHECK_URL = None
CENSUS_REPORTING_ENABLED = False
