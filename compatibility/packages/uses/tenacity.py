"""Retries of calls that fail at first."""

import tenacity


class Flaky:
    def __init__(self, failures: int) -> None:
        self.left = failures

    @tenacity.retry(stop=tenacity.stop_after_attempt(5), wait=tenacity.wait_none())
    def work(self) -> str:
        if self.left > 0:
            self.left -= 1
            raise OSError(self.left)
        return "done"


def answer(number: int) -> str:
    flaky = Flaky(number % 7)
    try:
        result = flaky.work()
    except tenacity.RetryError as error:
        result = f"gave up after {error.last_attempt.attempt_number}"
    return f"{number} {result} {flaky.left}"
