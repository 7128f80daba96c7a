-- What this program relies on: the server's version, the isolation of its transactions and its encoding.
-- Locks: nothing.
-- Uses: no index.
select current_setting('server_version_num')::integer as version, current_setting('transaction_isolation') as isolation,
  current_setting('server_encoding') as encoding
