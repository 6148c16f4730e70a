"""Files found at import and served by a wrapper."""

import os
import pathlib

from whitenoise import WhiteNoise

folder = pathlib.Path(os.environ["COWHERD_SCRATCH"], "files")
folder.mkdir(exist_ok=True)
for number in range(50):
    (folder / str(number)).write_text(f"file {number} " * (number + 1))


def missing(environ, start_response):  # type: ignore[no-untyped-def]
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


app = WhiteNoise(missing, root=str(folder), autorefresh=False)
