"""A document made, read and drawn."""

import hashlib

import pymupdf


def answer(number: int) -> str:
    with pymupdf.open() as document:
        page = document.new_page(width=200, height=100)
        page.insert_text((20, 40), f"number {number}")
        page.draw_rect(pymupdf.Rect(10, 10, 50 + number, 60))
        data = document.tobytes()
    with pymupdf.open("pdf", data) as back:
        text = back[0].get_text().strip()
        pixels = hashlib.sha256(back[0].get_pixmap().samples).hexdigest()[:16]
        return f"{text} {pixels} {len(back)}"
