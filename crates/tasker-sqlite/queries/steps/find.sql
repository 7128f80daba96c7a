-- Finds a step to change: $1 the key of its task, $2 its ordinal. Changes: nothing. Index: steps by key.
select key, state, ready_at, held from steps where key = $1 << 20 | $2;
