"""A client made at import, which sends an event there; a transaction in each request."""

import os

import sentry_sdk

address = f"http://key@127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}/1"
sentry_sdk.init(dsn=address, traces_sample_rate=1.0, send_default_pii=False, shutdown_timeout=1)
sentry_sdk.capture_message("loaded")


def answer(number: int) -> str:
    with sentry_sdk.start_transaction(op="test", name=f"t{number}") as transaction:
        with transaction.start_child(op="child", name="part"):
            sentry_sdk.set_tag("number", number)
        try:
            1 // (number % 2)
            error = ""
        except ZeroDivisionError as failure:
            error = str(sentry_sdk.capture_exception(failure) is not None)
    return f"{number} {transaction.name} {transaction.sampled} {error}"
