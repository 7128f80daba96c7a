-- Finds what is to happen next: $1 now. Changes: nothing. Index: steps_ready once for each lane; steps_leased.
select
  (select min((
      select s.ready_at from steps as s indexed by steps_ready
      where s.lane_id = l.id and s.ready_at > $1 and s.ready_at is not null and s.held = 0
      order by s.ready_at limit 1))
    from lanes as l) as next_ready_at,
  (select min(lease_until) from steps where lease_until is not null) as next_expiry;
