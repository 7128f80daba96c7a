-- Says that a worker is gone: $1 its id. Changes: removes that row. Index: the primary key.
delete from workers where id = $1;
