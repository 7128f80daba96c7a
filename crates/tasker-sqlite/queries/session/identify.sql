-- Says whose database this is. Changes: nothing. Index: none.
select (select application_id from pragma_application_id) as application_id,
  (select count(*) from sqlite_schema) as objects,
  (select count(*) from sqlite_schema where type = 'table' and name = 'schema_migrations') as is_migrated;
