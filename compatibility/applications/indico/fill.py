"""Makes a user, categories and events, with Indico's own operations."""

from datetime import datetime, timedelta, timezone

from flask import session
from indico.core.db import db
from indico.modules.auth import Identity
from indico.modules.categories.models.categories import Category
from indico.modules.categories.operations import create_category
from indico.modules.events.models.events import EventType
from indico.modules.events.operations import create_event
from indico.modules.users.operations import create_user, grant_admin
from indico.web.flask.app import make_app

start = datetime(2031, 5, 6, 9, tzinfo=timezone.utc)
with make_app().test_request_context():
    identity = Identity(provider="indico", identifier="admin", password="changeme-1-and-longer")
    names = {"first_name": "Ada", "last_name": "Ümlaut", "affiliation": "Here"}
    user = create_user("admin@example.com", names, identity)
    db.session.add(user)
    grant_admin(user)
    db.session.commit()
    session.set_session_user(user)
    root = Category.get_root()
    for number in range(3):
        category = create_category(root, {"title": f"Category {number}"})
        for other, kind in enumerate(EventType):
            create_event(
                category,
                kind,
                {
                    "title": f"Event {other} of {number}",
                    "start_dt": start + timedelta(days=number),
                    "end_dt": start + timedelta(days=number, hours=6),
                    "timezone": "UTC",
                    "creator": user,
                },
            )
    db.session.commit()
