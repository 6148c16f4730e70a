"""A schema made from annotations."""

import strawberry


@strawberry.type
class Item:
    number: int

    @strawberry.field
    def words(self, count: int = 1) -> list[str]:
        return [f"word {self.number}"] * count


@strawberry.type
class Query:
    @strawberry.field
    def item(self, number: int) -> Item:
        return Item(number=number)


schema = strawberry.Schema(Query)


def answer(number: int) -> str:
    query = "query($n: Int!) { item(number: $n) { number words(count: 2) } }"
    result = schema.execute_sync(query, variable_values={"n": number})
    return f"{result.data} {result.errors}"
