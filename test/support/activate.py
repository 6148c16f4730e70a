"""Stand-in for systemd's socket activation (sd_listen_fds(3)): listens, and becomes the command.

    activate.py [--without-variables] ADDRESS... -- COMMAND...

ADDRESS is ``tcp`` (a free port of 127.0.0.1) or the path of a Unix socket.
"""

import os
import socket
import sys

split = sys.argv.index("--")
addresses, command = sys.argv[1:split], sys.argv[split + 1 :]
with_variables = "--without-variables" not in addresses
made = []
for address in addresses:
    if address.startswith("--"):
        continue
    is_tcp = address == "tcp"
    listening = socket.socket(socket.AF_INET if is_tcp else socket.AF_UNIX)
    listening.bind(("127.0.0.1", 0) if is_tcp else address)
    listening.listen(16)
    # A high number, out of the way of the descriptors that are assigned below.
    made.append(os.dup2(listening.fileno(), 40 + len(made)))
for index, descriptor in enumerate(made):
    os.dup2(descriptor, 3 + index, inheritable=True)
    os.close(descriptor)
if with_variables:
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(made))
    os.environ["LISTEN_FDNAMES"] = ":".join("web" for _ in made)
os.execvp(command[0], command)
