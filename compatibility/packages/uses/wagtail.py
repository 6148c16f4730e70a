"""A CMS: a tree of pages, stream blocks and pictures."""

from uses import django_site

django_site.configure(
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.staticfiles",
    WAGTAIL_SITE_NAME="herd",
    WAGTAILADMIN_BASE_URL="http://herd.example",
)

from django.http import HttpRequest  # noqa: E402
from wagtail import blocks  # noqa: E402
from wagtail.models import Page, Site  # noqa: E402
from wagtail.rich_text import expand_db_html  # noqa: E402

stream = blocks.StreamBlock([("title", blocks.CharBlock()), ("text", blocks.RichTextBlock())])


def answer(request: HttpRequest, number: int) -> str:
    value = stream.to_python([{"type": "title", "value": f"Title {number}", "id": str(number)}])
    root = Page.objects.get(depth=1)
    pages = [page.title for page in root.get_children()]
    site = Site.find_for_request(request)
    return f"{value} {expand_db_html(f'<b>{number}</b>')} {pages} {site is not None}"


app = django_site.serve(answer)
