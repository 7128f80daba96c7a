-- Makes a task with its steps: $1 its key, $2 its id, $3 how many steps. Changes: adds rows. Index: none.
insert into tasks values ($1, $2, 1, 4, 1, 'pending', null, null, 1790000000000000, 'speed', 'example',
  'measuring', '[]', '[]', '{"order":1000,"customer":"c-1024"}');
insert into steps
with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < $3)
select $1 << 20 | i, $2, 1, i > 0, i > 0, 0, 3, 0, 'pending', case when i = 0 then 1790000000000000 end, null,
  null, null, null, null, null, null
from n;
