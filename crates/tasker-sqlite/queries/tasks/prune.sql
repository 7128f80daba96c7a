-- Removes tasks with all that belongs to them: $1 those that ended before this time, $2 those that failed before
-- this time, $3 at most so many, of each kind the ones first that ended first.
--
-- Changes: removes tasks, steps, transitions and what was logged. Index: tasks_ended and tasks_failed from their beginning,
-- a range of steps by key for each task, transitions and logs by task.
-- Answers: how many, and whether there are more.

delete from temp.pruned;

insert into temp.pruned (key)
select key from (
  select key from tasks
  where ended_at <= $1 and state in ('complete', 'cancelled', 'resolved_manually')
  order by ended_at limit $3 + 1)
union all
select key from (
  select key from tasks where ended_at <= $2 and state = 'error' order by ended_at limit $3 + 1);

select min($3, count(*)) as pruned, count(*) > $3 as more from temp.pruned;

delete from temp.pruned where rank > $3;

delete from transitions where seq in (
  select t.seq from temp.pruned as p cross join transitions as t on t.task_key = p.key);

delete from attempt_logs where seq in (
  select l.seq from temp.pruned as p cross join attempt_logs as l on l.task_key = p.key);

delete from steps where key in (
  select s.key from temp.pruned as p cross join steps as s
    on s.key between p.key << 20 and (p.key << 20 | 1048575));

delete from tasks where key in (select key from temp.pruned);
