-- Makes a template no longer the one for new tasks: $1 its number. Changes: that row. Index: the primary key.
update templates set current = 0 where id = $1 and current = 1;
