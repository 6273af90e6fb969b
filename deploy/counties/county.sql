-- A county of its own in a province's database: a role, and a schema that no other role may enter.
-- As the database's administrator, who types the role's password twice (docs/how-to/run-a-province.md):
--   psql -d outreach -v county=county_511302 -f deploy/counties/county.sql
\set ON_ERROR_STOP on
BEGIN;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
CREATE ROLE :"county" LOGIN;
\password :"county"
GRANT CONNECT ON DATABASE :"DBNAME" TO :"county";
CREATE SCHEMA :"county" AUTHORIZATION :"county";
-- Kept with the role, not with the connection, so that a pooler in between cannot lose it.
ALTER ROLE :"county" SET search_path = :"county";
COMMIT;
