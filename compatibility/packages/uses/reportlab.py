"""A document drawn, with a table."""

import hashlib
import io

from reportlab import rl_config
from reportlab.lib.pagesizes import A6
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

rl_config.invariant = 1
styles = getSampleStyleSheet()


def answer(number: int) -> str:
    stored = io.BytesIO()
    document = SimpleDocTemplate(stored, pagesize=A6, title=f"t{number}")
    document.build(
        [Paragraph(f"number <b>{number}</b>", styles["Normal"]), Table([["a", number], ["b", 2]])]
    )
    return f"{number} {hashlib.sha256(stored.getvalue()).hexdigest()}"
