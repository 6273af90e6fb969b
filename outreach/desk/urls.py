"""Every address of the desk. None carries an ID number, a certificate number or a telephone."""

from django.urls import path

from outreach.desk.views import (
    cases,
    enquiries,
    home,
    intake,
    notices,
    notifications,
    office,
    reviewing,
    savings,
    session,
    signing,
    tablets,
    visits,
)

app_name = "desk"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", session.SignIn.as_view(), name="sign_in"),
    path("sign-out/", session.sign_out, name="sign_out"),
    # cases
    path("cases/", cases.cases, name="cases"),
    path("cases/nominate/", intake.nominate, name="nominate"),
    path("cases/nominate/missing/", intake.missing, name="missing"),
    path("cases/<uuid:case>/", cases.case, name="case"),
    path("cases/<uuid:case>/consent/", intake.give_consent, name="give_consent"),
    path("cases/<uuid:case>/return/", intake.send_back, name="send_back"),
    path("cases/<uuid:case>/schedule/", visits.schedule_one, name="schedule_one"),
    path("cases/<uuid:case>/objection/", notices.record_objection, name="record_objection"),
    path("cases/<uuid:case>/step/<slug:step>/", cases.with_reason, name="with_reason"),
    # the steps, each with its list
    path("consent/", intake.consents, name="consent"),
    path("papers/", intake.papers, name="papers"),
    path("accept/", intake.accept, name="accept"),
    path("assign/", intake.assign, name="assign"),
    path("schedule/", visits.schedule, name="schedule"),
    path("notices/", notices.running, name="notices"),
    path("notices/<uuid:notice>/", notices.poster, name="poster"),
    path("notices/post/", notices.post, name="post_notices"),
    path("notices/end/", notices.end, name="end_notices"),
    path("objections/", notices.objections, name="objections"),
    path("objections/<uuid:objection>/", notices.decide, name="decide"),
    path("review/", reviewing.review, name="review"),
    path("opinions/", reviewing.opinions, name="opinions"),
    path("sign/", signing.sign, name="sign"),
    path("hand-over/", signing.hand_over, name="hand_over"),
    # visits, evaluations, photos
    path("visits/not-done/", visits.not_done, name="not_done"),
    path("visits/<uuid:visit>/move/", visits.move, name="move"),
    path("visits/<uuid:visit>/cancel/", visits.cancel, name="cancel"),
    path("evaluations/<uuid:evaluation>/", reviewing.evaluation, name="evaluation"),
    path("evaluations/<uuid:evaluation>/differ/", reviewing.differ, name="differ"),
    path("photos/<uuid:photo>/", reviewing.photo, {"size": "whole"}, name="photo"),
    path("photos/<uuid:photo>/small/", reviewing.photo, {"size": "small"}, name="photo_small"),
    # papers
    path("certificates/", signing.certificates, name="certificates"),
    path("certificates/<uuid:certificate>.pdf", signing.paper, name="paper"),
    path("savings/", savings.savings, name="savings"),
    path("savings/lines/", savings.lines, name="saving_lines"),
    # between citizens and the office
    path("enquiries/", enquiries.enquiries, name="enquiries"),
    path("enquiries/ask/", enquiries.ask, name="ask"),
    path("enquiries/<uuid:enquiry>/", enquiries.enquiry, name="enquiry"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/<uuid:notification>/again/", notifications.send_again, name="send_again"),
    # tablets and the office
    path("tablets/", tablets.tablets, name="tablets"),
    path("tablets/code/", tablets.code, name="code"),
    path("tablets/<uuid:device>/revoke/", tablets.revoke, name="revoke"),
    path("disputes/", tablets.disputes, name="disputes"),
    path("trail/", office.trail, name="trail"),
    path("clock/", office.demo_clock, name="clock"),
]
