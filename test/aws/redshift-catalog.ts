/** What Redshift's catalog has and PostgreSQL's has not, for the test server: system views and functions, made once in a fresh database. */
import type { TestPostgres } from './postgres.ts'
import type { Backslash } from './redshift-sql-words.ts'

const views = `
CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE AS 'SELECT clock_timestamp()::timestamp';
CREATE VIEW pg_catalog.svv_table_info AS
  SELECT current_database()::text AS database, n.nspname::text AS schema, c.oid AS table_id, c.relname::text AS "table",
    (pg_total_relation_size(c.oid) + 1048575) / 1048576 AS size, greatest(c.reltuples, 0)::numeric AS tbl_rows,
    greatest(c.reltuples, 0)::numeric AS estimated_visible_rows
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND pg_relation_size(c.oid) > 0;
CREATE VIEW pg_catalog.svv_tables AS
  SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text, NULL::text AS remarks FROM information_schema.tables;
CREATE VIEW pg_catalog.svv_columns AS
  SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::int, column_default::text,
    is_nullable::text, data_type::text, character_maximum_length::int, numeric_precision::int, numeric_scale::int
  FROM information_schema.columns;
CREATE VIEW pg_catalog.svv_relation_privileges AS
  SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, a.privilege_type::text, a.grantee::int AS identity_id,
    CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END AS identity_name,
    CASE WHEN a.grantee = 0 THEN 'public' WHEN r.rolcanlogin THEN 'user' ELSE 'role' END AS identity_type, a.is_grantable AS admin_option
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW pg_catalog.pg_table_def AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
    'none'::text AS encoding, false AS distkey, 0 AS sortkey, a.attnotnull AS "notnull"
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY (current_schemas(false));
GRANT SELECT ON pg_catalog.svv_table_info, pg_catalog.svv_tables, pg_catalog.svv_columns, pg_catalog.svv_relation_privileges,
  pg_catalog.pg_table_def TO PUBLIC;`

export async function makeCatalog(postgres: TestPostgres, database: string, backslash: Backslash): Promise<void> {
  const quoted = `"${database.replaceAll('"', '""')}"`
  const maintenance = await postgres.session()
  await maintenance.run(`CREATE DATABASE ${quoted}`)
  const settings = {
    standard_conforming_strings: backslash === 'escape' ? 'off' : 'on',
    backslash_quote: 'on',
    escape_string_warning: 'off',
    default_transaction_isolation: 'serializable',
    timezone: 'UTC',
    datestyle: 'ISO',
    extra_float_digits: '1',
  }
  for (const [name, value] of Object.entries(settings)) await maintenance.run(`ALTER DATABASE ${quoted} SET ${name} = '${value}'`)
  await maintenance.end()
  const session = await postgres.session(database)
  await session.run('SET allow_system_table_mods = on')
  for (const one of views.split(';').filter((text) => text.trim() !== '')) await session.run(one)
  await session.end()
}
