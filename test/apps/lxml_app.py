"""lxml: the mold makes trees, their proxies, a schema, a transformation and paths."""

from __future__ import annotations

import copy
import hashlib

from checked import application
from lxml import etree, html, objectify

SHELVES, BOOKS = 30, 100


def catalogue(name: str) -> etree._Element:
    root = etree.Element("catalogue", name=name)
    for shelf in range(SHELVES):
        place = etree.SubElement(root, "shelf", number=str(shelf))
        for book in range(BOOKS):
            entry = etree.SubElement(place, "book", isbn=f"{shelf:03}-{book:05}")
            etree.SubElement(entry, "title").text = f"Title {book} of {shelf}"
            etree.SubElement(entry, "price").text = str(shelf * book)
    return root


tree = catalogue("main")
spares = [catalogue(f"spare {number}") for number in range(6)]
# The mold keeps a proxy of every node.
nodes = list(tree.iter())
schema = etree.XMLSchema(
    etree.XML(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="book">'
        '<xs:complexType><xs:sequence><xs:element name="title" type="xs:string"/>'
        '<xs:element name="price" type="xs:integer"/></xs:sequence>'
        '<xs:attribute name="isbn" type="xs:string"/></xs:complexType></xs:element></xs:schema>'
    )
)
transform = etree.XSLT(
    etree.XML(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/"><sum><xsl:value-of select="sum(//price)"/></sum></xsl:template>'
        "</xsl:stylesheet>"
    )
)
dear = etree.XPath("count(//book[price > $least])")
parser = etree.XMLParser(remove_blank_text=True)


def fingerprint(root: etree._Element) -> str:
    return hashlib.sha256(etree.tostring(root)).hexdigest()


EXPECTED = fingerprint(tree)
SUM = sum(shelf * book for shelf in range(SHELVES) for book in range(BOOKS))
DEAR = sum(shelf * book > 1_000 for shelf in range(SHELVES) for book in range(BOOKS))


def read() -> bool:
    texts = sum(len(node.text or "") + len(node.attrib) for node in nodes)
    return (
        fingerprint(tree) == EXPECTED
        and texts > 0
        and dear(tree, least=1_000) == DEAR
        and schema.validate(copy.deepcopy(tree[3][5]))
    )


def change() -> bool:
    """Takes a copy apart, parses a new document, changes the mold's tree and changes it back."""
    own = copy.deepcopy(tree)
    for shelf in own[::2]:
        own.remove(shelf)
    own[0].append(own[1][0])
    parsed = etree.fromstring(etree.tostring(tree), parser)
    page = html.fromstring("<ul>" + "".join(f"<li>{n}" for n in range(50)) + "</ul>")
    objects = objectify.fromstring(etree.tostring(tree[2]))
    moved = tree[1][7]
    price = moved.find("price")
    price.text = "changed"
    own.append(copy.deepcopy(moved))
    price.text = "7"
    added = etree.SubElement(tree, "shelf", number="of a worker")
    added.append(etree.fromstring("<book/>"))
    tree.remove(added)
    # Here and not in read(): the transformation writes to the memory of the tree.
    sums = str(transform(tree)).split("<sum>")[1].split("<")[0]
    return (
        float(sums) == SUM
        and len(own) == SHELVES // 2 + 1
        and fingerprint(parsed) == EXPECTED
        and len(page.findall(".//li")) == 50
        and int(objects.book[9].price) == 18
        and fingerprint(tree) == EXPECTED
    )


def free() -> bool:
    """Cuts parts off the mold's trees and throws them away, in the end whole trees."""
    if spares:
        spare = spares[-1]
        for shelf in spare[:10]:
            spare.remove(shelf)
        spare.clear() if len(spare) < 25 else None
        if len(spare) == 0:
            spares.pop()
    return fingerprint(tree) == EXPECTED


app = application(read=read, change=change, free=free)
