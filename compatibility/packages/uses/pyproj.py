"""Transformations made at import."""

from pyproj import CRS, Geod, Transformer

transformer = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
geoid = Geod(ellps="WGS84")


def answer(number: int) -> str:
    x, y = transformer.transform(10 + number / 10, 48)
    _, _, meters = geoid.inv(10, 48, 10 + number, 49)
    zone = CRS.from_epsg(32601 + number)
    return f"{x:.4f} {y:.4f} {meters:.4f} {zone.name}"
