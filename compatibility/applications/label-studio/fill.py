"""Makes a user, an organization, projects with tasks and annotations, with its own models."""

import django

django.setup()

from organizations.functions import create_organization  # noqa: E402
from projects.models import Project  # noqa: E402
from tasks.models import Annotation, Task  # noqa: E402
from users.models import User  # noqa: E402

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="kind" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>"""

user = User.objects.create_superuser("admin@example.com", "changeme-1", username="admin")
organization = create_organization(title="The organization", created_by=user)
user.active_organization = organization
user.save()
for number in range(4):
    project = Project.objects.create(
        title=f"Project {number}",
        label_config=CONFIG,
        created_by=user,
        organization=organization,
    )
    for other in range(30):
        task = Task.objects.create(project=project, data={"text": f"Text {other} of {number}: äöü"})
        if other % 3 == 0:
            value = {"choices": ["good" if other % 2 else "bad"]}
            result = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
            Annotation.objects.create(
                task=task, project=project, completed_by=user, result=[result], result_count=1
            )
