"""``python -m cowherd_server``: the command, where its folder is not on PATH."""

import os
import sys
import sysconfig


def main() -> None:
    """Becomes the command that was installed with this package. Raises SystemExit if it is gone."""
    command = os.path.join(sysconfig.get_path("scripts"), "cowherd")
    if not os.access(command, os.X_OK):
        raise SystemExit(f"{command} is missing. Install cowherd-server again.")
    os.execv(command, [command, *sys.argv[1:]])


if __name__ == "__main__":
    main()
