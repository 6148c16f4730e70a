"""The configuration of a deployment of Superset."""

import os

SECRET_KEY = "a-secret-of-the-test-that-is-long-enough-for-superset"
SQLALCHEMY_DATABASE_URI = os.environ["SITE_DATABASE"]
_cache = {
    "CACHE_TYPE": "RedisCache",
    "CACHE_DEFAULT_TIMEOUT": 3600,
    "CACHE_REDIS_URL": os.environ["SITE_REDIS"],
}
CACHE_CONFIG = {**_cache, "CACHE_KEY_PREFIX": "superset_"}
DATA_CACHE_CONFIG = {**_cache, "CACHE_KEY_PREFIX": "superset_data_"}
FILTER_STATE_CACHE_CONFIG = {**_cache, "CACHE_KEY_PREFIX": "superset_filter_"}
EXPLORE_FORM_DATA_CACHE_CONFIG = {**_cache, "CACHE_KEY_PREFIX": "superset_explore_"}
RATELIMIT_ENABLED = False
TALISMAN_ENABLED = False
SESSION_COOKIE_SECURE = False
