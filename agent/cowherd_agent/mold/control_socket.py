"""gunicorn's own control socket, as the settings of this gunicorn have it. The supervisor listens
there in place of gunicorn's arbiter (src/supervisor/gunicorn)."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cowherd_agent.wire.settings_types import SettingsControlSocket


def control_socket_of(cfg: Any) -> SettingsControlSocket | None:
    """None if it is switched off, or if this gunicorn (before 25.1) has none."""
    if "control_socket" not in cfg.settings or cfg.control_socket_disable:
        return None
    from gunicorn.ctl.handlers import CommandHandlers

    # The part of `show config` that is gunicorn's own knowledge: which settings, in which form.
    shown = CommandHandlers(SimpleNamespace(cfg=cfg)).show_config()
    setting = cfg.settings["control_socket"]
    return {
        # gunicorn has changed to its chdir by now.
        "path": os.path.abspath(cfg.control_socket),
        "mode": cfg.control_socket_mode,
        "is_chosen": setting.get() != setting.default,
        "is_tls": bool(cfg.is_ssl),
        # Whatever the setting says: the mold loads the application before it forks.
        "config": {**json.loads(json.dumps(shown, default=str)), "preload_app": True},
    }
