"""A schema made at import."""

import graphene


class Item(graphene.ObjectType):
    number = graphene.Int()
    double = graphene.Int()

    def resolve_double(self, info: graphene.ResolveInfo) -> int:
        return self.number * 2


class Query(graphene.ObjectType):
    item = graphene.Field(Item, number=graphene.Int(required=True))

    def resolve_item(self, info: graphene.ResolveInfo, number: int) -> Item:
        return Item(number=number)


schema = graphene.Schema(query=Query)


def answer(number: int) -> str:
    query = "query($n: Int!) { item(number: $n) { number double __typename } }"
    result = schema.execute(query, variables={"n": number})
    bad = schema.execute("{ nothing }")
    return f"{result.data} {[error.message for error in bad.errors]}"
