"""Make a register before its server starts: the demo county's map and staff, nobody nominated.

Run as `python -m tests.e2e.preparing` by `tests.e2e.serving`, in the server's own environment.
"""

from __future__ import annotations

import os
from datetime import date

import django

#: The villages begin to nominate.
DAY_ONE = date(2018, 5, 14)


def prepare() -> None:
    """Migrate, make the signing authority, set the clock, enter the county."""
    from django.conf import settings
    from django.core.management import call_command

    from outreach import clock
    from outreach.demo.county import demo_county
    from outreach.demo.loading import load
    from outreach.demo.player import at
    from outreach.demo.script import campaign_days, write_script
    from outreach.models import working_calendar

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    call_command("create_authority", verbosity=0)
    clock.advance_to(at(DAY_ONE, "08:00"))
    county = demo_county()
    script = write_script(county, campaign_days(working_calendar(DAY_ONE)))
    first = [visit for visit in script if visit.resident == county.residents[0]]
    load(county, tuple(first))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    prepare()
