"""A workbook written and read."""

import io

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter


def answer(number: int) -> str:
    book = Workbook()
    sheet = book.active
    sheet.title = f"sheet {number}"
    sheet.append(["a", number, number / 2])
    sheet["A2"] = f"=SUM(B1:C{number + 1})"
    sheet["A2"].font = Font(bold=True)
    stored = io.BytesIO()
    book.save(stored)
    back = load_workbook(io.BytesIO(stored.getvalue()))
    values = [[cell.value for cell in row] for row in back.active.iter_rows()]
    return f"{back.sheetnames} {values} {get_column_letter(number + 1)} {back.active['A2'].font.b}"
