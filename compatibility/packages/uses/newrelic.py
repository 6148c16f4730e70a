"""The agent initialized at import, in developer mode, which does everything but send."""

import os
import time

import newrelic.agent

settings = newrelic.agent.global_settings()
settings.app_name = "herd"
settings.license_key = "0" * 40
settings.developer_mode = True
newrelic.agent.initialize()


@newrelic.agent.function_trace()
def part(number: int) -> int:
    newrelic.agent.add_custom_attribute("number", number)
    return number * 3


registered: set[int] = set()


def register() -> None:
    """Registers each process, and waits for it: before that the agent records no transaction."""
    if os.getpid() not in registered:
        application = newrelic.agent.register_application(timeout=20)
        until = time.monotonic() + 20
        while not application.active and time.monotonic() < until:
            time.sleep(0.01)
        registered.add(os.getpid())


def plain(environ, start_response):  # type: ignore[no-untyped-def]
    number = int(environ["PATH_INFO"].strip("/"))
    newrelic.agent.set_transaction_name(f"t{number}")
    inside = newrelic.agent.current_transaction(active_only=False) is not None
    body = f"{number} {part(number)} {inside}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


traced = newrelic.agent.WSGIApplicationWrapper(plain)


def app(environ, start_response):  # type: ignore[no-untyped-def]
    register()
    return traced(environ, start_response)
