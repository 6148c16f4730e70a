"""Plugins loaded at import; pictures drawn, changed and written."""

import hashlib
import io

from PIL import Image, ImageDraw, ImageFilter, ImageFont

Image.init()
font = ImageFont.load_default(12)
background = Image.new("RGB", (120, 80), "navy")


def answer(number: int) -> str:
    picture = background.copy()
    ImageDraw.Draw(picture).text((5, 5), f"number {number}", fill="white", font=font)
    blurred = picture.filter(ImageFilter.GaussianBlur(2)).rotate(number).resize((60, 40))
    digests = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        stored = io.BytesIO()
        blurred.save(stored, kind)
        back = Image.open(io.BytesIO(stored.getvalue()))
        back.load()
        digests.append(hashlib.sha256(back.convert("RGB").tobytes()).hexdigest()[:16])
    return f"{number} {digests}"
