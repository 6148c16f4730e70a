"""The gc module's own functions, saved before the guard replaces them.

Cowherd's own code calls these, so that the guard counts only calls of other code. Import this
module before a guard is installed; guard.py does so itself.
"""

from __future__ import annotations

import gc

collect = gc.collect
disable = gc.disable
enable = gc.enable
freeze = gc.freeze
get_count = gc.get_count
get_objects = gc.get_objects
get_threshold = gc.get_threshold
isenabled = gc.isenabled
set_threshold = gc.set_threshold
unfreeze = gc.unfreeze
