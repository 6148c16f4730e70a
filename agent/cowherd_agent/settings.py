"""Cowherd's own settings, declared as gunicorn settings.

Importing this module registers them with gunicorn's configuration, so that they can stand in
``gunicorn.conf.py``, in ``GUNICORN_CMD_ARGS`` and on the command line, and are validated and
documented as gunicorn's are (gunicorn/config.py, class Setting).
"""

from __future__ import annotations

import argparse
import re
from typing import Any

from gunicorn import config as gunicorn_config

from cowherd_agent.warmup import parse_request

POLICIES = ("auto", "immortal", "freeze", "instagram", "stock")
GUARD_MODES = ("hold", "report", "off")


def _one_of(name: str, allowed: tuple[str, ...]) -> Any:
    def validate(value: object) -> str:
        if not isinstance(value, str) or value.strip().lower() not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; it is {value!r}")
        return value.strip().lower()

    return validate


def _validate_warmup(value: object) -> list[str]:
    if value is None:
        return []
    requests = [value] if isinstance(value, str) else value
    if not isinstance(requests, (list, tuple)):
        raise TypeError(f"warmup must be a list of requests such as 'GET /'; it is {value!r}")
    for request in requests:
        parse_request(request)
    return list(requests)


def _validate_percent(value: object) -> float:
    try:
        percent = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sampling_budget must be a percentage of one core; it is {value!r}"
        ) from error
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"sampling_budget must be between 0 and 100 percent; it is {value!r}")
    return percent


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def _parse_size(name: str, value: object) -> int:
    """Bytes: a number, or text such as ``200M``, whose units are powers of 1024."""
    match = _SIZE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"{name} must be a size such as 200M or 1.5G; it is {value!r}")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def _size(name: str) -> Any:
    return lambda value: _parse_size(name, value)


def _size_auto_or_off(name: str) -> Any:
    def validate(value: object) -> int | str:
        word = str(value).strip().lower()
        if word in ("auto", "off"):
            return word
        return _parse_size(name, value) or "off"

    return validate


def _validate_samples(value: object) -> int:
    count: int = gunicorn_config.validate_pos_int(value)
    if count < 1:
        raise ValueError(f"recycle_samples must be at least 1; it is {value!r}")
    return count


def _validate_refork_after(value: object) -> list[int]:
    if value is None:
        return []
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    try:
        numbers = [int(each) for each in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"refork_after must be a list of numbers of requests; it is {value!r}"
        ) from error
    if any(number < 1 for number in numbers):
        raise ValueError(f"refork_after must be numbers above 0; it is {value!r}")
    return numbers


class HeapPolicy(gunicorn_config.Setting):  # type: ignore[misc]
    name = "heap_policy"
    section = "Cowherd"
    cli = (
        "--heap-policy",
        "--policy",
    )
    meta = "POLICY"
    validator = _one_of("heap_policy", POLICIES)
    default = "auto"
    desc = """\
        What is done to the mold's heap before it forks workers.

        One of ``auto``, ``immortal``, ``freeze``, ``instagram`` and ``stock``. ``auto`` takes
        the highest policy that passes its self-test in this interpreter. A policy that this
        interpreter can't do is an error.
        """


class Warmup(gunicorn_config.Setting):  # type: ignore[misc]
    name = "warmup"
    section = "Cowherd"
    cli = ("--warmup",)
    meta = "REQUEST"
    action = "append"
    validator = _validate_warmup
    default: tuple[str, ...] = ()
    desc = """\
        Requests played in the mold before it forks, such as ``["GET /"]``.

        What they load (templates, lazy imports, specialized bytecode) is then shared by all
        workers. A host name may follow the path: ``"GET / www.example.org"``.
        """


class GcGuard(gunicorn_config.Setting):  # type: ignore[misc]
    name = "gc_guard"
    section = "Cowherd"
    cli = ("--gc-guard",)
    meta = "MODE"
    validator = _one_of("gc_guard", GUARD_MODES)
    default = "hold"
    desc = """\
        What happens when a library steers the garbage collector in a worker.

        ``hold`` counts the calls and holds off those that would undo the heap policy,
        ``report`` only counts and reports them, ``off`` leaves the gc module alone.
        """


class CollectAfter(gunicorn_config.Setting):  # type: ignore[misc]
    name = "collect_after"
    section = "Cowherd"
    cli = ("--collect-after",)
    meta = "OBJECTS"
    type = int
    validator = gunicorn_config.validate_pos_int
    default = 10_000
    desc = """\
        How many young objects must have gathered for a collection after a response.

        Used by the policies ``freeze`` and ``immortal``, whose workers collect garbage only
        between requests. 0 switches these collections off.
        """


class AllowThreads(gunicorn_config.Setting):  # type: ignore[misc]
    name = "allow_threads"
    section = "Cowherd"
    cli = ("--allow-threads",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """\
        Threads that the application has left running are meant to be so: no warning, no refusal.

        A fork copies none of them. Which of them come back in workers is looked at before the
        first fork; of those that do not, a warning tells what workers lack. Threads of libraries
        that are known to hang in workers, or to lose work there, are an error without this setting.
        """


class Strict(gunicorn_config.Setting):  # type: ignore[misc]
    name = "strict"
    section = "Cowherd"
    cli = ("--strict",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """        Whatever the look for fork safety finds is an error, and not only a warning.

        For tests and canary hosts: the herd does not start with a connection, a thread, a lock
        or a database that workers would share or lack.
        """


class SamplingBudget(gunicorn_config.Setting):  # type: ignore[misc]
    name = "sampling_budget"
    section = "Cowherd"
    cli = ("--sampling-budget",)
    meta = "PERCENT"
    validator = _validate_percent
    default = 1.0
    desc = """\
        The share of one core, in percent, that reading the herd's memory may cost.

        0 switches the samples off.
        """


def _validate_health(value: object) -> str | None:
    if value is None or value == "":
        return None
    parse_request(value)
    return str(value)


class Health(gunicorn_config.Setting):  # type: ignore[misc]
    name = "health"
    section = "Cowherd"
    cli = ("--health",)
    meta = "REQUEST"
    validator = _validate_health
    default = None
    desc = """\
        A request that a new generation must answer well before it gets traffic: ``"GET /healthz"``.

        A canary, a process forked from the new mold, plays it after the hooks of a new worker; a
        status of 400 or more, an exception or no answer within 30 s means that the generation is
        not taken into service. A host name may follow the path.
        """


class BeforeMold(gunicorn_config.Setting):  # type: ignore[misc]
    name = "before_mold"
    section = "Cowherd"
    validator = gunicorn_config.validate_callable(1)
    type = callable

    def before_mold(server: Any) -> None:
        pass

    default = staticmethod(before_mold)
    desc = """\
        Called in a mold before its heap is prepared: close what its workers must not share.

        Also in a worker that is to be the next mold. The function gets the server. Django's
        connections and caches are closed without it.
        """


class AfterFork(gunicorn_config.Setting):  # type: ignore[misc]
    name = "after_fork"
    section = "Cowherd"
    validator = gunicorn_config.validate_callable(2)
    type = callable

    def after_fork(server: Any, worker: Any) -> None:
        pass

    default = staticmethod(after_fork)
    desc = """\
        Called in a new worker, before ``post_fork``: open again what ``before_mold`` has closed.

        The function gets the server and the worker.
        """


class BootTimeout(gunicorn_config.Setting):  # type: ignore[misc]
    name = "boot_timeout"
    section = "Cowherd"
    cli = ("--boot-timeout",)
    meta = "SECONDS"
    type = int
    validator = gunicorn_config.validate_pos_int
    default = 0
    desc = """\
        How long a worker may take from its fork until it is ready.

        0: as long as ``timeout`` says, as in gunicorn.
        """


class ReforkAfter(gunicorn_config.Setting):  # type: ignore[misc]
    name = "refork_after"
    section = "Cowherd"
    cli = ("--refork-after",)
    meta = "REQUESTS"
    validator = _validate_refork_after
    default: tuple[int, ...] = ()
    desc = """\
        Reforks when a worker of the current generation has answered so many requests.

        A list, or numbers with commas between them: the first is for the code as it was loaded,
        the second for the generation after it, and so on; the last one repeats. Such as
        ``[50, 500, 5000]``. Nothing by default.
        """


class ReforkByBenefit(gunicorn_config.Setting):  # type: ignore[misc]
    name = "refork_by_benefit"
    section = "Cowherd"
    cli = ("--refork-by-benefit",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """\
        Reforks when that is estimated to win at least a tenth of the herd's memory.

        The estimate is learnt from what earlier reforks have won; after one that won little there
        is no other until the code is loaded anew.
        """


class ExitWhenHopeless(gunicorn_config.Setting):  # type: ignore[misc]
    name = "exit_when_hopeless"
    section = "Cowherd"
    cli = ("--exit-when-hopeless",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """\
        Ends a herd whose workers all die before any of them was ever ready.

        Without this setting the herd goes on trying, with pauses of up to 15 s. A worker that the
        application itself keeps from starting, by an exception, ends a herd that starts in any
        case, as under gunicorn.
        """


class Heal(gunicorn_config.Setting):  # type: ignore[misc]
    name = "heal"
    section = "Cowherd"
    cli = ("--heal",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """\
        Has the kernel merge again what workers have copied though it is still the same (KSM).

        When the workers have unshared so much that it is estimated to win at least a tenth of the
        herd's memory, KSM is switched on until it has merged what it can, and the settings of the
        host are put back. It needs Linux 6.4 and root. After a heal that won little there is no
        other until the code is loaded anew.
        """


class PerfNames(gunicorn_config.Setting):  # type: ignore[misc]
    name = "perf_names"
    section = "Cowherd"
    cli = ("--perf-names",)
    action = "store_true"
    validator = gunicorn_config.validate_bool
    default = False
    desc = """\
        Names Python's functions for ``perf`` and ``cowherd record``, in the workers.

        Each worker writes ``/tmp/perf-PID.map``. Calls get a little slower. It needs CPython 3.12;
        an older one warns and goes on without.
        """


class RecyclePrivate(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_private"
    section = "Cowherd"
    cli = ("--recycle-private",)
    meta = "SIZE"
    validator = _size("recycle_private")
    default = 0
    desc = """\
        Replace a worker whose private memory has grown beyond this since its fork.

        Bytes, or a size such as ``200M``. This is what the worker costs: memory that it shares
        with the mold does not count. 0 switches it off.
        """


class RecyclePss(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_pss"
    section = "Cowherd"
    cli = ("--recycle-pss",)
    meta = "SIZE"
    validator = _size("recycle_pss")
    default = 0
    desc = """\
        Replace a worker whose proportional set size is over this.

        Its private memory and its share of what it shares. 0 switches it off.
        """


class RecycleRss(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_rss"
    section = "Cowherd"
    cli = ("--recycle-rss",)
    meta = "SIZE"
    validator = _size("recycle_rss")
    default = 0
    desc = """\
        Replace a worker whose resident memory is over this.

        All that it has in memory, shared or not, as other servers count it. 0 switches it off.
        """


class RecycleSamples(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_samples"
    section = "Cowherd"
    cli = ("--recycle-samples",)
    meta = "COUNT"
    type = int
    validator = _validate_samples
    default = 3
    desc = """\
        How many samples in a row must be over a limit of memory.

        A single spike is no reason to replace a worker.
        """


class RecycleAge(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_age"
    section = "Cowherd"
    cli = ("--recycle-age",)
    meta = "SECONDS"
    type = int
    validator = gunicorn_config.validate_pos_int
    default = 0
    desc = """\
        Replace a worker this long after its fork.

        0 switches it off.
        """


class RecycleAgeJitter(gunicorn_config.Setting):  # type: ignore[misc]
    name = "recycle_age_jitter"
    section = "Cowherd"
    cli = ("--recycle-age-jitter",)
    meta = "SECONDS"
    type = int
    validator = gunicorn_config.validate_pos_int
    default = 0
    desc = """\
        The most that is added to ``recycle_age``, different for each worker.

        So that workers forked together do not all come of age together.
        """


class HerdMemory(gunicorn_config.Setting):  # type: ignore[misc]
    name = "herd_memory"
    section = "Cowherd"
    cli = ("--herd-memory",)
    meta = "SIZE"
    validator = _size_auto_or_off("herd_memory")
    default = "off"
    desc = """\
        The memory that the whole herd may take.

        When it takes more, the worker with the most private memory is replaced, one at a time.
        ``auto`` is nine tenths of the limit of the cgroup; a size such as ``4G`` is held against
        the proportional set sizes of molds and workers; ``off`` sets no limit.
        """


def explain_usage_error(parser: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    """Turns what argparse says into (error code, detail); a mistyped option gets the nearest."""
    import difflib

    prefix = "unrecognized arguments: "
    if not text.startswith(prefix):
        return "USAGE", text
    known = [option for action in parser._actions for option in action.option_strings]
    unknown = next((word for word in text[len(prefix) :].split() if word.startswith("-")), None)
    if unknown is None:
        return "USAGE", f"{text} (one application only)"
    name = unknown.split("=", 1)[0]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    return "UNKNOWN_SETTING", f"{name} is not an option of Cowherd or gunicorn{hint}"
