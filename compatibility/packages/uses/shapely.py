"""GEOS shapes made at import, and a tree of them."""

import shapely
from shapely import STRtree, wkt
from shapely.geometry import Point, Polygon
from shapely.prepared import prep

shapes = [Point(n, n * 7 % 50).buffer(3) for n in range(100)]
tree = STRtree(shapes)
field = prep(Polygon([(0, 0), (60, 0), (60, 60), (0, 60)]))


def answer(number: int) -> str:
    place = Point(number, number / 2)
    near = sorted(int(n) for n in tree.query(place.buffer(10), predicate="intersects"))
    union = shapely.union_all([shapes[n] for n in near])
    area = union.intersection(Polygon([(0, 0), (30, 0), (30, 30), (0, 30)])).area
    text = wkt.dumps(place, rounding_precision=2)
    return f"{near} {area:.6f} {text} {field.contains(place)}"
