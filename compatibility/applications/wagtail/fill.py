"""Fills the site through Wagtail's models: a tree of pages, images, documents, redirects, users."""

import io

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from home.models import HomePage  # noqa: E402
from PIL import Image as Picture  # noqa: E402
from wagtail.contrib.redirects.models import Redirect  # noqa: E402
from wagtail.documents.models import Document  # noqa: E402
from wagtail.images.models import Image  # noqa: E402

User.objects.create_superuser("admin", "admin@example.com", "changeme-1")
User.objects.create_user("editor", "editor@example.com", "changeme-2", first_name="Édith")

home = HomePage.objects.get()
for number in range(8):
    section = home.add_child(
        instance=HomePage(title=f"Section {number}: Ünïcode", slug=f"section-{number}")
    )
    section.save_revision().publish()
    for other in range(4):
        page = section.add_child(instance=HomePage(title=f"Page {other}", show_in_menus=True))
        page.save_revision().publish()
home.add_child(instance=HomePage(title="A draft", live=False)).save_revision()

for number in range(6):
    content = io.BytesIO()
    Picture.new("RGB", (320, 200), (number * 40, 90, 160)).save(content, "PNG")
    Image.objects.create(
        title=f"Picture {number}",
        file=ContentFile(content.getvalue(), name=f"picture-{number}.png"),
    )
    Document.objects.create(
        title=f"Document {number}",
        file=ContentFile(b"name,value\n" * (number + 1), name=f"document-{number}.csv"),
    )
Redirect.objects.create(old_path="/old", redirect_page=home, is_permanent=True)
