"""A driver made at import, whose server doesn't exist; values of its own types."""

from neo4j import GraphDatabase
from neo4j.exceptions import ServiceUnavailable
from neo4j.spatial import WGS84Point
from neo4j.time import Date, Duration

driver = GraphDatabase.driver("bolt://127.0.0.1:1", auth=("herd", "herd"), connection_timeout=1)


def answer(number: int) -> str:
    day = Date(2026, 1, 1) + Duration(days=number)
    try:
        with driver.session() as session:
            session.run("return $n", n=number)
        error = "none"
    except ServiceUnavailable as failure:
        error = type(failure).__name__
    return f"{day} {WGS84Point((number, 1.5))} {Duration(hours=number)} {error}"
