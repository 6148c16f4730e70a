"""The rows that `manage.py prepare` puts into an empty database, the same on every machine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from django.contrib.auth.models import User
from django.db import transaction

from feed.posts.models import Post, Profile, Topic
from feed.site_data.rankings import NEWEST_POST_ID, TOPICS
from feed.site_data.words import PHRASES, sentence

REGION_SERVED = "de"
"""The region of the users that this host serves. All hosts load the tables of all regions."""
LOCALES_SPOKEN = ("de", "de", "en")
PLANS = ("free", "free", "free", "plus")
TOPICS_FOLLOWED = 12


@transaction.atomic
def fill(users: int, posts: int) -> None:
    """Users 1 to `users`, and the newest `posts` posts, numbered as in the ranking tables."""
    topics = Topic.objects.bulk_create(Topic(name=name) for name in TOPICS)
    people = User.objects.bulk_create(
        # "!" is Django's mark of an account that nobody can log in to.
        User(id=number, username=f"user{number}", password="!", first_name=sentence(number, 1))
        for number in range(1, users + 1)
    )
    profiles = Profile.objects.bulk_create(
        Profile(
            user=user,
            region=REGION_SERVED,
            locale=LOCALES_SPOKEN[user.id % len(LOCALES_SPOKEN)],
            plan=PLANS[user.id % len(PLANS)],
        )
        for user in people
    )
    follows = Profile.topics.through
    follows.objects.bulk_create(
        follows(profile_id=profile.pk, topic_id=topics[(profile.pk + step) % len(topics)].pk)
        for profile in profiles
        for step in range(TOPICS_FOLLOWED)
    )
    newest = datetime(2024, 1, 1, tzinfo=timezone.utc)
    Post.objects.bulk_create(
        (
            Post(
                id=NEWEST_POST_ID - age,
                author=people[age % len(people)],
                topic=topics[age % len(topics)],
                title=PHRASES[age & 1023].capitalize(),
                text=f"{PHRASES[(age * 3) & 1023]}. {PHRASES[(age * 5) & 1023]}.",
                published=newest - timedelta(minutes=age),
                likes=age * 7 % 1000,
            )
            for age in range(posts)
        ),
        batch_size=500,
    )
