-- The record of migrations. It runs before every migration, in the same transaction: one process at a time.
select pg_advisory_xact_lock(1952543601, 0);
create schema if not exists tasker;
create table if not exists tasker.schema_migrations (
  version bigint primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null
);
