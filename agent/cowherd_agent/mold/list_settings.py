"""All settings of an interpreter's gunicorn, Cowherd's among them, for ``cowherd settings``."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from cowherd_agent.failures import MoldFailure
from cowherd_agent.mold.setting_sources import require_web_concurrency


def main() -> NoReturn:
    """Prints the settings as one JSON object, in gunicorn's order."""
    try:
        require_web_concurrency()
    except MoldFailure as failure:
        sys.exit(failure.detail)
    import gunicorn
    from gunicorn.config import KNOWN_SETTINGS

    import cowherd_agent.mold.own_settings  # noqa: F401  (importing it registers Cowherd's own)

    settings = [_described(setting) for setting in sorted(KNOWN_SETTINGS, key=_place)]
    print(json.dumps({"gunicorn": gunicorn.__version__, "settings": settings}, default=str))
    sys.exit(0)


def _place(setting: Any) -> tuple[bool, str]:
    """Cowherd's own come first."""
    return setting.section != "Cowherd", setting.section


def _described(setting: Any) -> dict[str, Any]:
    takes_value = setting.action not in ("store_true", "store_false", "store_const")
    return {
        "name": setting.name,
        "section": setting.section,
        "options": list(setting.cli or ()),
        "meta": (setting.meta or "VALUE") if takes_value else None,
        # A hook's default is a function that does nothing.
        "default": None if callable(setting.default) else setting.default,
        "description": str(setting.short).strip(),
    }
