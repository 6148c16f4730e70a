"""A parser, a schema and a transformation made at import."""

from lxml import etree, html, objectify

schema = etree.XMLSchema(
    etree.XML(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:element name="items"><xs:complexType><xs:sequence>'
        '<xs:element name="item" type="xs:integer" maxOccurs="unbounded"/>'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )
)
transform = etree.XSLT(
    etree.XML(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/items"><sum><xsl:value-of select="sum(item)"/></sum></xsl:template>'
        "</xsl:stylesheet>"
    )
)
find = etree.XPath("//item[. > $least]")


def answer(number: int) -> str:
    root = etree.fromstring(
        "<items>" + "".join(f"<item>{n}</item>" for n in range(number + 1)) + "</items>"
    )
    schema.assertValid(root)
    page = html.fromstring(f"<p>one<b>{number}</b><br>two")
    first = objectify.fromstring(etree.tostring(root)).item
    found = len(find(root, least=number // 2))
    return f"{str(transform(root)).strip()} {found} {page.text_content()} {first + 1}"
