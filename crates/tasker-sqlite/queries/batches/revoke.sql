-- Says that leases were taken away. Changes: the one row of revocations. Index: the primary key.
update revocations set count = count + 1 where id = 1;
