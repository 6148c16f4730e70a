"""A table made at import; grouped, merged and written in each request."""

import pandas as pd

table = pd.DataFrame(
    {
        "day": pd.date_range("2026-01-01", periods=200, freq="D"),
        "shop": pd.Categorical(["north", "south", "east", "west"] * 50),
        "sold": [n * 37 % 101 for n in range(200)],
        "note": [f"note {n % 13}" for n in range(200)],
    }
)


def answer(number: int) -> str:
    part = table[table["sold"] > number]
    sums = part.groupby("shop", observed=True)["sold"].agg(["sum", "mean"])
    monthly = part.set_index("day")["sold"].resample("MS").sum()
    words = part["note"].str.upper().value_counts().sort_index()
    return f"{number}\n{sums.to_csv()}{monthly.to_json()}{words.to_dict()}"
