"""Models over a database in memory, with a connection per thread."""

from peewee import CharField, ForeignKeyField, IntegerField, Model, SqliteDatabase, fn

database = SqliteDatabase(":memory:")


class Shop(Model):
    name = CharField()

    class Meta:
        database = database


class Item(Model):
    shop = ForeignKeyField(Shop, backref="items")
    price = IntegerField()

    class Meta:
        database = database


def answer(number: int) -> str:
    with database.connection_context():
        database.create_tables([Shop, Item])
        shop = Shop.create(name=f"shop {number}")
        Item.insert_many([{"shop": shop, "price": n * number} for n in range(3)]).execute()
        query = (
            Shop.select(Shop.name, fn.SUM(Item.price).alias("sum")).join(Item).group_by(Shop.name)
        )
        return str(list(query.tuples()))
