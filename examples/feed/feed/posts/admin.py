from django.contrib import admin

from feed.posts.models import Post, Profile, Topic


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("title", "author", "topic", "published", "likes")
    list_filter = ("topic",)
    list_select_related = ("author", "topic")
    search_fields = ("title",)
    raw_id_fields = ("author",)


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ("user", "region", "locale", "plan")
    list_select_related = ("user",)
    raw_id_fields = ("user",)


admin.site.register(Topic)
