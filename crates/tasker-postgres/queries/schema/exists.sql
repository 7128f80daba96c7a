-- Whether the record of migrations is there.
-- Locks: nothing.
-- Uses: no index.
select to_regclass('tasker.schema_migrations') is not null as present
