-- Lists the migrations that were applied. Changes: nothing. Index: the primary key.
select version, name, checksum from schema_migrations order by version;
