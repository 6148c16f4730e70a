"""Tables and colours drawn into text."""

import io

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.traceback import Traceback


def answer(number: int) -> str:
    text = io.StringIO()
    console = Console(file=text, width=60, force_terminal=True, color_system="truecolor")
    table = Table(title=f"Table {number}")
    table.add_column("a")
    table.add_row(f"[bold]{number}[/]")
    console.print(table)
    console.print(Syntax(f"def f(): return {number}", "python"))
    try:
        raise ZeroDivisionError(number)
    except ZeroDivisionError as error:
        kind = type(Traceback.from_exception(type(error), error, None)).__name__
    return f"{text.getvalue()} {kind}"
