"""Makes an organizer, an event with products, orders, and a user, with pretix's own models."""

import datetime
from decimal import Decimal

import django

django.setup()

from django.utils.timezone import now  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import (  # noqa: E402
    Event,
    Item,
    ItemCategory,
    Order,
    OrderPosition,
    Organizer,
    Question,
    Quota,
    Team,
    TeamAPIToken,
    User,
)

day = datetime.timedelta(days=1)
with scopes_disabled():
    user = User.objects.create_superuser("admin@example.com", "changeme-1")
    organizer = Organizer.objects.create(name="The fair", slug="fair")
    permissions = {
        field.name: True
        for field in Team._meta.get_fields()
        if field.name.startswith("can_") or field.name.startswith("all_")
    }
    team = Team.objects.create(organizer=organizer, name="Team", **permissions)
    team.members.add(user)
    TeamAPIToken.objects.create(team=team, name="test", token="test-token-of-the-test")
    event = Event.objects.create(
        organizer=organizer,
        name="The day: Ü",
        slug="day",
        currency="EUR",
        date_from=now() + 200 * day,
        live=True,
        plugins="pretix.plugins.banktransfer,pretix.plugins.ticketoutputpdf,pretix.plugins.manualpayment",
    )
    event.set_defaults()
    event.settings.set("payment_banktransfer__enabled", True)
    event.settings.set("timezone", "UTC")
    category = ItemCategory.objects.create(event=event, name="Tickets")
    quota = Quota.objects.create(event=event, name="All", size=500)
    for number in range(6):
        item = Item.objects.create(
            event=event,
            category=category,
            name=f"Ticket {number}",
            default_price=Decimal("23.00") + number,
        )
        quota.items.add(item)
    Question.objects.create(event=event, question="Your size?", type="S")
    for number in range(20):
        order = Order.objects.create(
            code=f"ORDER{number}",
            event=event,
            email=f"guest{number}@example.com",
            status=Order.STATUS_PAID if number % 2 else Order.STATUS_PENDING,
            datetime=now() - 3 * day,
            expires=now() + 10 * day,
            total=Decimal("23.00"),
            locale="en",
            sales_channel=organizer.sales_channels.get(identifier="web"),
        )
        OrderPosition.objects.create(
            order=order, item=event.items.first(), price=Decimal("23.00"), positionid=1
        )
