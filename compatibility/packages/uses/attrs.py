"""Classes made at import, with slots, converters and checks."""

import attrs


@attrs.define(slots=True, order=True)
class Item:
    number: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
    words: list[str] = attrs.Factory(list)
    double: int = attrs.field(init=False, eq=False)

    @double.default
    def _double(self) -> int:
        return self.number * 2


@attrs.frozen
class Frozen:
    item: Item


def answer(number: int) -> str:
    item = Item(str(number), ["a"] * (number % 3))
    frozen = Frozen(item)
    try:
        frozen.item = item
        error = "none"
    except attrs.exceptions.FrozenInstanceError as failure:
        error = type(failure).__name__
    return f"{item} {attrs.asdict(frozen)} {item < Item(25)} {error} {attrs.evolve(item, number=1)}"
