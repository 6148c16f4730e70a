"""Commands run within a request."""

import click
from click.testing import CliRunner


@click.group()
def herd() -> None:
    """The herd."""


@herd.command()
@click.argument("number", type=click.IntRange(max=40))
@click.option("--word", default="w")
def show(number: int, word: str) -> None:
    click.secho(f"{number} {word * number}", bold=True)


def answer(number: int) -> str:
    result = CliRunner().invoke(herd, ["show", str(number), "--word", f"w{number}"])
    return f"{result.exit_code} {result.output}"
