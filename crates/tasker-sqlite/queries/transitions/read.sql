-- Reads the feed: $1 after this one, $2 limit. Changes: nothing. Index: the primary key; tasks by key.
select r.seq, t.id as task_id, r.ordinal, r.attempt, r.from_state, r.to_state, r.cause, r.at, r.by, r.details
from transitions as r cross join tasks as t on t.key = r.task_key
where r.seq > $1
order by r.seq
limit $2;
