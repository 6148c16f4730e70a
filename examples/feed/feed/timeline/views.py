"""The pages."""

from __future__ import annotations

import os
import random
import time
from functools import cache
from itertools import islice

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render

from feed.posts.models import Post, Profile
from feed.site_data.flags import IN_USE, flag_name
from feed.site_data.loaded import EVERYTHING, FLAGS, RANKINGS, STRINGS
from feed.site_data.reading import read_all as read_everything
from feed.site_data.strings import COMMON, message_key
from feed.sizes import SIZES
from feed.timeline.cache import FeedCache
from feed.timeline.stories import UserFeed, make_feed

STORIES_ON_PAGE = 12
FLAGS_OF_PAGE = tuple(flag_name(number) for number in range(IN_USE))
KEYS_OF_PAGE = tuple(message_key(number) for number in range(COMMON))
TEXTS_ON_PAGE = 16
LONGEST_SLOW_SECONDS = 60.0

CACHE = FeedCache(SIZES.cache_mib * 1024 * 1024)


def home(request: HttpRequest) -> HttpResponse:
    """The feed of `?user=N`, else of the signed-in user, else of a random one.

    Feeds are public here: the demo looks at other users' feeds instead of logging in.
    """
    profile = viewed_profile(request)
    user = profile.user
    attributes = {"area": "emea", "plan": profile.plan}
    features = [name for name in FLAGS_OF_PAGE if FLAGS[name].is_on(user.pk, attributes)]
    strings = STRINGS[profile.locale]

    feed = CACHE.get(user.pk, lambda: feed_of(user, profile))
    unreported = (story for story in feed.stories if story.ranking.reports < 5)
    shown = list(islice(unreported, STORIES_ON_PAGE))
    posts = Post.objects.select_related("author", "topic").in_bulk(
        [story.ranking.post_id for story in shown]
    )
    request.session["visits"] = request.session.get("visits", 0) + 1
    return render(
        request,
        "timeline/home.html",
        {
            "viewed": user,
            "rows": [
                (posts[story.ranking.post_id], strings[KEYS_OF_PAGE[story.score % COMMON]][0])
                for story in shown
                if story.ranking.post_id in posts
            ],
            "texts": [strings[key][0] for key in KEYS_OF_PAGE[:TEXTS_ON_PAGE]],
            "features": features,
            "visits": request.session["visits"],
        },
    )


def viewed_profile(request: HttpRequest) -> Profile:
    profiles = Profile.objects.select_related("user")
    asked = request.GET.get("user")
    if asked is None:
        # Staff accounts have no profile, and so no feed.
        own = request.user.is_authenticated and profiles.filter(user=request.user).first()
        found: Profile = own or profiles.get(user_id=random_user())
        return found
    try:
        found = profiles.get(user_id=int(asked))
    except (ValueError, OverflowError, Profile.DoesNotExist):
        raise Http404(f"no user {asked!r}") from None
    return found


def random_user() -> int:
    """A user's number. The most active twentieth of the users makes a third of the visits."""
    users = users_known()
    if random.random() < 1 / 3:
        return random.randint(1, max(1, users // 20))
    return random.randint(1, users)


@cache
def users_known() -> int:
    return int(Profile.objects.count())


def feed_of(user: User, profile: Profile) -> UserFeed:
    tables = RANKINGS[profile.region]
    followed = profile.topics.values_list("name", flat=True)
    return make_feed(user.pk, [tables[topic] for topic in followed])


def healthz(request: HttpRequest) -> HttpResponse:
    """Shows that this worker answers, without touching rows or data."""
    return HttpResponse(b"ok\n", content_type="text/plain")


def read_all(request: HttpRequest) -> JsonResponse:
    """Reads every object that was loaded at import: the worst case for sharing."""
    started = time.perf_counter()
    met = read_everything(EVERYTHING)
    return JsonResponse(
        {"pid": os.getpid(), "objects": met, "seconds": time.perf_counter() - started}
    )


def slow(request: HttpRequest) -> HttpResponse:
    """Answers after `?seconds=` seconds, for trying timeouts and graceful stops."""
    try:
        seconds = float(request.GET.get("seconds", "1"))
    except ValueError:
        return HttpResponseBadRequest(b"seconds must be a number\n", content_type="text/plain")
    if not 0 <= seconds <= LONGEST_SLOW_SECONDS:
        return HttpResponseBadRequest(
            f"seconds must lie between 0 and {LONGEST_SLOW_SECONDS:.0f}\n",
            content_type="text/plain",
        )
    time.sleep(seconds)
    return HttpResponse(f"slept {seconds} s\n", content_type="text/plain")


def stats(request: HttpRequest) -> JsonResponse:
    """Statistics of this worker's cache."""
    return JsonResponse(
        {
            "pid": os.getpid(),
            "cache": {
                "feeds": len(CACHE),
                "held_bytes": CACHE.held_bytes,
                "bound_bytes": CACHE.bound_bytes,
                "hits": CACHE.hits,
                "misses": CACHE.misses,
            },
        }
    )
