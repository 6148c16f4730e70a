"""YAML read and written by libyaml, with a custom tag registered at import."""

import yaml


class Herd:
    def __init__(self, number: int) -> None:
        self.number = number


class Loader(yaml.CSafeLoader):
    pass


Loader.add_constructor("!herd", lambda loader, node: Herd(int(loader.construct_scalar(node))))


def answer(number: int) -> str:
    text = (
        f"a: &x [1, 2.5, {number}]\nb: *x\nherd: !herd {number}\nday: 2026-01-{number % 9 + 1:02}\n"
    )
    value = yaml.load(text, Loader)
    herd = value.pop("herd")
    return f"{herd.number} {yaml.dump(value, Dumper=yaml.CSafeDumper)} {yaml.__with_libyaml__}"
