-- Makes a namespace known: $1 its name. Changes: adds one row, or none. Index: the primary key.
insert into namespaces (name) values ($1) on conflict do nothing;
