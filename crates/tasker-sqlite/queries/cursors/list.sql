-- Lists the places in the feed. Changes: nothing. Index: the primary key, all of it.
select name, position, holder, held_until, moved_at from cursors order by name;
