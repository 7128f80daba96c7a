-- Calls `queries/steps/renew.sql`: $3 renewals. Changes: what that does. Index: none further.
-- Answers `renewed`, as JSON: [[place, lease until], ...] of the leases that are still held.
insert into renew values ($3);

select json_group_array(json_array(n, lease_until)) as renewed from temp.renewed;
