"""An engine used at import, whose connections are closed before the fork as SQLAlchemy advises."""

import os

from sqlalchemy import ForeignKey, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

port = os.environ["COWHERD_POSTGRESQL_PORT"]
engine = create_engine(f"postgresql+psycopg://cowherd@127.0.0.1:{port}/postgres")


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "alchemy_shop"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    items: Mapped[list["Item"]] = relationship(back_populates="shop", cascade="all, delete-orphan")


class Item(Base):
    __tablename__ = "alchemy_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]
    shop_id: Mapped[int] = mapped_column(ForeignKey("alchemy_shop.id"))
    shop: Mapped[Shop] = relationship(back_populates="items")


Base.metadata.create_all(engine)
engine.dispose()


def answer(number: int) -> str:
    with Session(engine) as session:
        session.add(
            Shop(name=f"shop {number}", items=[Item(price=n * number) for n in range(1, 4)])
        )
        session.flush()
        query = (
            select(Shop.name, func.sum(Item.price))
            .join(Shop.items)
            .where(Shop.name == f"shop {number}")
            .group_by(Shop.name)
        )
        rows = [tuple(row) for row in session.execute(query)]
        session.rollback()
    return str(rows)
