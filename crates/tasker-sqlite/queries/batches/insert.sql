-- Calls `queries/tasks/insert.sql`: $1 now, $4 tasks, $13 how many. Changes: what that does. Index: tasks by key.
-- Answers `opened`: how many steps can be claimed by it.
insert into submit values ($1, $4, $13);

select coalesce(sum(active), 0) as opened from tasks where key > (select max(key) from tasks) - $13;
