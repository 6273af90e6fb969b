-- A province's counts, county by county; on the primary or on a standby:
--   psql -d outreach -f deploy/counties/province.sql
-- What was saved is priced by each county's tariffs: its own API tells that (docs/how-to/connect-another-system.md).
\set ON_ERROR_STOP on
SELECT string_agg(
  format($$SELECT %1$L AS county,
    (SELECT count(*) FROM %1$I.outreach_application) AS cases,
    (SELECT count(*) FROM %1$I.outreach_visit WHERE state IN ('done', 'not_done')) AS visits,
    (SELECT count(*) FROM %1$I.certificates_certificate) AS certificates$$, nspname),
  E'\nUNION ALL\n' ORDER BY nspname)
FROM pg_namespace
WHERE to_regclass(format('%I.outreach_application', nspname)) IS NOT NULL
\gexec
