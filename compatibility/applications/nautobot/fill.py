"""Makes locations, devices, prefixes and a user, by Nautobot's own models."""

import nautobot

nautobot.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from nautobot.dcim.models import (  # noqa: E402
    Device,
    DeviceType,
    Interface,
    Location,
    LocationType,
    Manufacturer,
)
from nautobot.extras.models import Role, Status  # noqa: E402
from nautobot.ipam.models import IPAddress, Namespace, Prefix  # noqa: E402
from nautobot.tenancy.models import Tenant  # noqa: E402
from nautobot.users.models import User  # noqa: E402

User.objects.create_superuser("admin", "admin@example.com", "changeme-1A")
active = Status.objects.get(name="Active")
campus = LocationType.objects.create(name="Campus")
campus.content_types.add(ContentType.objects.get_for_model(Device))
tenant = Tenant.objects.create(name="Tenant Ü")
maker = Manufacturer.objects.create(name="Maker")
kind = DeviceType.objects.create(manufacturer=maker, model="Switch", u_height=1)
role = Role.objects.create(name="Access")
role.content_types.add(ContentType.objects.get_for_model(Device))
namespace = Namespace.objects.get(name="Global")
for number in range(5):
    location = Location.objects.create(
        name=f"Campus {number}", location_type=campus, status=active, tenant=tenant
    )
    Prefix.objects.create(prefix=f"10.{number}.0.0/16", status=active, namespace=namespace)
    for other in range(6):
        device = Device.objects.create(
            name=f"switch-{number}-{other}",
            location=location,
            device_type=kind,
            role=role,
            status=active,
        )
        Interface.objects.create(device=device, name="eth0", type="1000base-t", status=active)
        IPAddress.objects.create(
            address=f"10.{number}.1.{other + 1}/24", status=active, namespace=namespace
        )
