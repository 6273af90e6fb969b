"""What is said of an unusual rate: what was found, what was to be expected, how rare that is."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outreach.reports.rates import Measure, Rate, Whose

#: A page shows so many of those that do not stand out.
OVERLONG = 50
_TITLES: dict[Whose, Promise] = {
    Whose.VILLAGE: gettext_lazy("Villages"),
    Whose.ASSESSOR: gettext_lazy("Assessors"),
}
_SHORT: dict[tuple[Measure, bool], Promise] = {
    (Measure.MET, True): gettext_lazy("More people than usual meet the standard"),
    (Measure.MET, False): gettext_lazy("Fewer people than usual meet the standard"),
    (Measure.SEVERE, True): gettext_lazy("More severe grades than usual"),
    (Measure.SEVERE, False): gettext_lazy("Fewer severe grades than usual"),
    (Measure.DIFFERS, True): gettext_lazy("Differs from the findings more often than usual"),
    (Measure.DIFFERS, False): gettext_lazy("Differs from the findings less often than usual"),
}
_FOUND: dict[Measure, Promise] = {
    Measure.MET: gettext_lazy("%(hits)d of %(of)d assessed people meet the standard."),
    Measure.SEVERE: gettext_lazy(
        "%(hits)d of %(of)d people who meet the standard have grade 1 or 2."
    ),
    Measure.DIFFERS: gettext_lazy(
        "%(hits)d of %(of)d grades are not the one that the findings give."
    ),
}
#: Rarer than this is not told apart.
_RAREST = 10_000


def title_of(whose: Whose) -> Promise:
    """Return the heading of a part."""
    return _TITLES[whose]


def short(rate: Rate) -> Promise:
    """Return what is unusual, in a few words."""
    return _SHORT[rate.measure, rate.judged.is_more]


def flag(rate: Rate) -> str:
    """Return who it is about and what is unusual."""
    return _("%(name)s: %(what)s") % {"name": rate.name, "what": short(rate)}


def found(rate: Rate) -> str:
    """Return what was counted, in a sentence."""
    group = rate.judged.group
    return str(_FOUND[rate.measure]) % {"hits": group.hits, "of": group.of}


def expected(rate: Rate) -> str:
    """Return what the same kinds of cases elsewhere let expect, in a sentence."""
    judged = rate.judged
    return _("About %(about)s would be usual for the same disabilities, %(low)d to %(high)d.") % {
        "about": f"{judged.expected:.1f}".removesuffix(".0"),
        "low": judged.low,
        "high": judged.high,
    }


def rarity(rate: Rate) -> str:
    """Return how often chance alone would lead so far, in words."""
    probability = rate.judged.probability
    if probability * _RAREST < 1:
        return _("by chance less than once in %(n)s") % {"n": f"{_RAREST:,}"}
    return _("by chance once in %(n)s") % {"n": f"{max(2, round(1 / probability)):,}"}
