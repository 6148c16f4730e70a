"""A file in memory."""

import io

import h5py
import numpy as np


def answer(number: int) -> str:
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        data = file.create_dataset("group/data", data=np.arange(100) * number, compression="gzip")
        data.attrs["number"] = number
        file["words"] = np.array([b"a", f"b{number}".encode()])
    with h5py.File(io.BytesIO(stored.getvalue()), "r") as file:
        names: list[str] = []
        file.visit(names.append)
        data = file["group/data"]
        return f"{names} {data[3:6].tolist()} {dict(data.attrs)} {file['words'][1]}"
