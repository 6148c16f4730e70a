"""A container made at import, wired into this module; compiled by Cython."""

from dependency_injector import containers, providers
from dependency_injector.wiring import Provide, inject


class Store:
    def __init__(self, name: str) -> None:
        self.name = name


class Container(containers.DeclarativeContainer):
    config = providers.Configuration()
    store = providers.Singleton(Store, config.name)
    double = providers.Factory(lambda number, store: f"{number * 2} {store.name}", store=store)


@inject
def use(number: int, store: Store = Provide[Container.store]) -> str:
    return f"{store.name} {number}"


container = Container()
container.config.from_dict({"name": "at import"})
container.wire(modules=[__name__])


def answer(number: int) -> str:
    same = container.store() is container.store()
    return f"{use(number)} {container.double(number)} {same}"
