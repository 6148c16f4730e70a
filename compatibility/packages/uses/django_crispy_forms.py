"""A form with a layout, rendered by a template pack."""

from uses import django_site

django_site.configure("crispy_forms", "crispy_bootstrap5", CRISPY_TEMPLATE_PACK="bootstrap5")

from crispy_forms.helper import FormHelper  # noqa: E402
from crispy_forms.layout import Div, Layout, Submit  # noqa: E402
from crispy_forms.utils import render_crispy_form  # noqa: E402
from django import forms  # noqa: E402
from django.http import HttpRequest  # noqa: E402


class NumberForm(forms.Form):
    number = forms.IntegerField(max_value=25)
    helper = FormHelper()
    helper.layout = Layout(Div("number", css_class="row"), Submit("save", "Save"))


def answer(request: HttpRequest, number: int) -> str:
    form = NumberForm({"number": number})
    form.is_valid()
    return f"{number} {render_crispy_form(form)}"


app = django_site.serve(answer)
