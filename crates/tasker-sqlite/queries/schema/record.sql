-- Records that a migration was applied: $1 version, $2 name, $3 checksum, $4 now. Changes: adds one row.
-- Index: none.
insert into schema_migrations (version, name, checksum, applied_at) values ($1, $2, $3, $4);
