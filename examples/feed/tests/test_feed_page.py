"""The pages, requested through Django's handlers and middleware."""

import re

import pytest
from django.test import Client


def test_a_page_is_made_from_rows_and_from_the_data(client: Client) -> None:
    from feed.posts.models import Post, Profile
    from feed.site_data.loaded import FLAGS, STRINGS
    from feed.timeline.views import KEYS_OF_PAGE

    page = client.get("/?user=3").content.decode()

    shown = [int(number) for number in re.findall(r'id="post-(\d+)"', page)]
    profile = Profile.objects.select_related("user").get(user_id=3)
    posts = Post.objects.select_related("topic").in_bulk(shown)
    assert shown
    assert len(posts) == len(shown)
    assert all(post.title in page for post in posts.values())
    followed = set(profile.topics.values_list("name", flat=True))
    assert {post.topic.name for post in posts.values()} <= followed
    assert profile.user.username in page
    assert STRINGS[profile.locale][KEYS_OF_PAGE[0]][0] in page
    features = page.split("features: ")[1].split("</footer>")[0].split(", ")
    assert features
    assert all(FLAGS[name].is_on(3, {"area": "emea", "plan": profile.plan}) for name in features)


def test_a_feed_is_made_once_and_kept(client: Client) -> None:
    first = client.get("/?user=5").content
    before = client.get("/stats").json()["cache"]
    second = client.get("/?user=5").content
    after = client.get("/stats").json()["cache"]
    assert after["hits"] == before["hits"] + 1
    assert after["misses"] == before["misses"]
    # Everything except the session's count of visits.
    assert first.split(b"<footer>")[0] == second.split(b"<footer>")[0]


def test_the_session_counts_visits(client: Client) -> None:
    pages = [client.get("/").content for _ in range(3)]
    assert [b"visit %d;" % visit in page for visit, page in enumerate(pages, start=1)] == [True] * 3


@pytest.mark.parametrize("user", ["0", "31", "x", "", "9" * 30])
def test_a_user_that_is_not_there_is_not_found(client: Client, user: str) -> None:
    assert client.get("/", {"user": user}).status_code == 404


@pytest.mark.parametrize("seconds", ["soon", "-1", "61", "nan"])
def test_slow_refuses_what_is_no_time(client: Client, seconds: str) -> None:
    assert client.get("/slow", {"seconds": seconds}).status_code == 400


def test_read_all_counts_the_loaded_objects(client: Client) -> None:
    from feed.site_data.loaded import FLAGS, RANKINGS, STRINGS

    flag_and_name = 2 + 3 + 1 + 2 * 2  # name, owner, description; rules; overrides
    rules = sum(1 + 3 + len(rule.values) for flag in FLAGS.values() for rule in flag.rules)
    rankings = sum(2 + 11 * len(table) for topics in RANKINGS.values() for table in topics.values())
    messages = 4 * sum(len(locale) for locale in STRINGS.values())
    expected = (
        4  # the tuple and its three tables
        + len(FLAGS) * (flag_and_name + 1)
        + rules
        + 2 * len(RANKINGS)
        + rankings
        + 2 * len(STRINGS)
        + messages
    )
    assert client.get("/read-all").json()["objects"] == expected


def test_the_admin_asks_who_is_there(client: Client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain == [
        ("/admin/login/?next=/admin/", 302)
    ]
