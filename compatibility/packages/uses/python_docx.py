"""A document written and read."""

import io

from docx import Document
from docx.shared import Cm


def answer(number: int) -> str:
    document = Document()
    document.add_heading(f"Title {number}", 1)
    document.add_paragraph("one ").add_run(f"bold {number}").bold = True
    table = document.add_table(1, 2)
    table.cell(0, 1).text = str(number)
    table.columns[0].width = Cm(number % 5 + 1)
    stored = io.BytesIO()
    document.save(stored)
    back = Document(io.BytesIO(stored.getvalue()))
    texts = [each.text for each in back.paragraphs]
    return f"{texts} {back.tables[0].cell(0, 1).text} {back.tables[0].columns[0].width}"
