"""Is busy for a tenth of the time, at the lowest priority, and touches almost no memory.

    python one_tenth_busy.py SECONDS

The slowdown of requests served meanwhile is the least that any work of that amount causes.
"""

import os
import sys
import time

WORK_SECONDS = 0.001
REST_SECONDS = 0.009


def main() -> None:
    os.nice(19)
    end = time.monotonic() + float(sys.argv[1])
    while (now := time.monotonic()) < end:
        while time.monotonic() < now + WORK_SECONDS:
            pass
        time.sleep(REST_SECONDS)


if __name__ == "__main__":
    main()
