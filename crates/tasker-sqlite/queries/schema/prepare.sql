-- Marks the database as this program's ("TSKR") and makes the table of migrations. Changes: the schema.
-- Index: none.
pragma application_id = 1414744914;

create table if not exists schema_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at integer not null
) strict;
