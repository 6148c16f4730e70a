"""YAML read and written with its comments kept."""

import io

from ruamel.yaml import YAML

yaml = YAML()
document = "# herd\nworkers: 2   # two\nlist:\n- a\n- b  # last\n"


def answer(number: int) -> str:
    own = YAML()
    value = own.load(document)
    value["workers"] = number
    value["list"].append({"more": [number, None]})
    text = io.StringIO()
    own.dump(value, text)
    return text.getvalue() + str(yaml.load("[1, 0x10, yes]"))
