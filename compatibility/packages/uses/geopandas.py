"""A table of shapes, joined and projected."""

import geopandas as gpd
from shapely.geometry import Point

places = gpd.GeoDataFrame(
    {"name": [f"p{n}" for n in range(100)]},
    geometry=[Point(n % 10, n // 10) for n in range(100)],
    crs="EPSG:4326",
)


def answer(number: int) -> str:
    circle = gpd.GeoDataFrame(
        {"number": [number]}, geometry=[Point(number % 10, number / 10).buffer(1.5)], crs=4326
    )
    joined = gpd.sjoin(places, circle, predicate="within")
    area = circle.to_crs("EPSG:3857").area.sum()
    return f"{number} {joined['name'].tolist()} {area:.3f}"
