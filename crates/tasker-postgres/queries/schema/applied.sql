-- The migrations that were applied, in order.
-- Locks: nothing.
-- Uses: schema_migrations_pkey.
select version, name, checksum from tasker.schema_migrations order by version
