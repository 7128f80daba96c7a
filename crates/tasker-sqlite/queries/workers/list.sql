-- Lists the workers seen at or after a time: $1. Changes: nothing. Index: the primary key, all of it.
select id, name, queues, handlers, concurrency, started_at, seen_at, draining
from workers where seen_at >= $1 order by id;
