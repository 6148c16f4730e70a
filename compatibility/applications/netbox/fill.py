"""Makes sites, racks, devices, prefixes and a user, by NetBox's own models."""

import django

django.setup()

from dcim.models import (  # noqa: E402
    Device,
    DeviceRole,
    DeviceType,
    Interface,
    Manufacturer,
    Rack,
    Region,
    Site,
)
from ipam.models import VLAN, IPAddress, Prefix  # noqa: E402
from tenancy.models import Tenant  # noqa: E402
from users.models import User  # noqa: E402

User.objects.create_superuser("admin", "admin@example.com", "changeme-1A")
region = Region(name="North", slug="north")
region.save()
tenant = Tenant.objects.create(name="Tenant Ü", slug="tenant")
maker = Manufacturer.objects.create(name="Maker", slug="maker")
kind = DeviceType.objects.create(manufacturer=maker, model="Switch", slug="switch", u_height=1)
role = DeviceRole(name="Access", slug="access")
role.save()
for number in range(5):
    site = Site.objects.create(name=f"Site {number}", slug=f"site-{number}", region=region)
    rack = Rack.objects.create(name=f"Rack {number}", site=site, u_height=20)
    VLAN.objects.create(vid=100 + number, name=f"VLAN {number}", site=site)
    Prefix.objects.create(prefix=f"10.{number}.0.0/16", scope=site, tenant=tenant)
    for other in range(6):
        device = Device.objects.create(
            name=f"switch-{number}-{other}",
            site=site,
            rack=rack,
            position=other + 1,
            face="front",
            device_type=kind,
            role=role,
        )
        port = Interface.objects.create(device=device, name="eth0", type="1000base-t")
        IPAddress.objects.create(address=f"10.{number}.1.{other + 1}/24", assigned_object=port)
