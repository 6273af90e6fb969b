"""The template tag that offers a page's list to be taken along; it knows every list there is."""

from __future__ import annotations

from typing import Any

from django import template

from outreach.desk.views.exports import exports

register = template.Library()


@register.simple_tag(takes_context=True)
def exportable(context: Any) -> str:
    """Return the name under which the list of this page can be taken along, or nothing."""
    match = context["request"].resolver_match
    name = match.url_name if match else ""
    wanted = exports().get(name)
    return name if wanted and context["user"].role in wanted.roles else ""
