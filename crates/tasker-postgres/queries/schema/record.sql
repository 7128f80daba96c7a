-- Records that a migration was applied.
-- Locks: nothing but the new row.
-- Uses: schema_migrations_pkey.
insert into tasker.schema_migrations (version, name, checksum, applied_at)
values ($1::bigint, $2::text, $3::text, clock_timestamp())
