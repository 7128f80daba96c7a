-- Reads a plan: $1 its number. Changes: nothing. Index: the primary key.
select template_id, priority from plans where id = $1;
