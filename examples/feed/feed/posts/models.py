"""The rows of the site."""

from django.conf import settings
from django.db import models


class Topic(models.Model):
    name = models.CharField(max_length=40, unique=True)
    """A topic of the ranking tables (`feed.site_data.rankings.TOPICS`)."""

    def __str__(self) -> str:
        return str(self.name)


class Profile(models.Model):
    """Facts about a user beyond the account."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    region = models.CharField(max_length=2)
    locale = models.CharField(max_length=2)
    plan = models.CharField(max_length=8)
    topics = models.ManyToManyField(Topic)

    def __str__(self) -> str:
        return f"profile of user {self.user_id}"


class Post(models.Model):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)
    title = models.CharField(max_length=120)
    text = models.TextField()
    published = models.DateTimeField()
    likes = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.title)
