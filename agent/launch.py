"""Entry of every Python process of Cowherd: ``python launch.py start``, ``keeper`` or ``mold``;
also ``syslog``, the supervisor's relay to it, and ``settings``, for a command.

Kept to syntax that Python 2.7 and 3.x share, so that an interpreter that is too old gives one
message instead of a SyntaxError.
"""

import os
import sys

OLDEST_PYTHON = (3, 10)


def refuse_old_interpreter():  # type: () -> None
    """Tells the supervisor over file descriptor 3 that this interpreter is too old."""
    import json

    message = {
        "type": "keeper_failed",
        "code": "PYTHON_TOO_OLD",
        "detail": "{} is Python {}; Cowherd needs {} or newer".format(
            sys.executable,
            ".".join(str(part) for part in sys.version_info[:3]),
            ".".join(str(part) for part in OLDEST_PYTHON),
        ),
    }
    os.write(3, (json.dumps(message) + "\n").encode("utf-8"))
    sys.exit(1)


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        refuse_old_interpreter()
    # At the end, so that this folder can't shadow a module of the application.
    agent_folder = sys.path.pop(0) if not sys.flags.isolated else None
    sys.path.append(agent_folder or os.path.dirname(os.path.abspath(__file__)))
    role = sys.argv[1]
    arguments = sys.argv[2:]
    if role == "start":
        # Returns only in the mold.
        from cowherd_agent.keeper import first_mold

        arguments = first_mold.become(arguments)
        role = "mold"
    if role == "keeper":
        from cowherd_agent.keeper import keeper

        keeper.main(arguments)
    elif role == "mold":
        from cowherd_agent.mold import mold

        mold.main(arguments)
    elif role == "syslog":
        from cowherd_agent.logs import syslog_relay

        syslog_relay.main(arguments)
    elif role == "settings":
        from cowherd_agent.mold import list_settings

        list_settings.main()
    raise SystemExit("launch.py: unknown role " + repr(role))
