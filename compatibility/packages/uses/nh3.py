"""Pages sanitized by Rust."""

import nh3

allowed = nh3.ALLOWED_TAGS | {"section"}


def answer(number: int) -> str:
    page = f"<section><b onclick=x>{number}</b><script>alert({number})</script>"
    page += "<a href='javascript:x'>link</a>"
    return f"{nh3.clean(page, tags=allowed)} {nh3.is_html(page)} {nh3.clean_text(page)}"
