-- Makes a template the one for new tasks again: $1 its number. Changes: that row. Index: the primary key.
update templates set current = 1 where id = $1 and current = 0;
