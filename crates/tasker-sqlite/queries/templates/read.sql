-- Reads a template: $1 its number. Changes: nothing. Index: the primary key.
select definition from templates where id = $1;
