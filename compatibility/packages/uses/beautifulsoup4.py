"""Pages parsed by each of its parsers."""

from bs4 import BeautifulSoup, SoupStrainer

links = SoupStrainer("a")


def answer(number: int) -> str:
    page = f"<p class='x'>one<b>{number}</b><br>" + f"<a href='/{number}'>link</a>" * (number % 4)
    found = []
    for parser in ("lxml", "html.parser", "html5lib"):
        soup = BeautifulSoup(page, parser)
        found.append((soup.select_one("p.x > b").text, len(soup.find_all("a")), soup.get_text("|")))
    only = BeautifulSoup(page, "lxml", parse_only=links)
    return f"{found} {len(only.find_all('a'))}"
