//! The cases, one file for each subject, and the list of them.

use std::pin::Pin;

use super::bench::{Bench, PATIENCE};

#[macro_use]
mod listing;

mod backlog;
mod cancel;
mod claim;
mod concurrency;
mod feed;
mod identity;
mod large;
mod leases;
mod pause;
mod progress;
mod readiness;
mod reads;
mod resolve;
mod retry;
mod settle;
mod side;
mod states;
mod submit;
mod text;
mod update;
mod upkeep;
mod versions;
mod workflows;

/// A case, ready to run at a bench.
type Case = for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

cases! {
    side {
        a_new_place_begins_where_it_is_told_and_stays_where_it_is_moved
        a_place_has_one_holder_until_its_time_runs_out
        whoever_lost_a_place_can_no_longer_move_it
        a_place_that_is_given_up_is_free_at_once
        lines_are_read_back_by_step_attempt_and_order
        lines_go_with_their_task
    }
    submit {
        a_submitted_task_and_its_steps_are_pending
        a_task_is_read_back_as_it_was_submitted
        a_fresh_step_has_made_no_attempt
        a_step_without_retries_has_one_attempt
        tasks_submitted_together_are_answered_in_order
        an_empty_submission_makes_nothing
        a_submission_with_an_unknown_plan_makes_nothing
        a_submission_with_a_taken_id_makes_nothing
        an_id_twice_in_one_submission_is_refused
        the_first_fault_of_a_submission_is_told
        a_refused_submission_leaves_no_trace_in_the_feed
        a_task_may_be_asked_for_at_any_time
    }
    identity {
        without_an_identity_equal_tasks_are_two
        the_second_of_two_equal_tasks_is_refused
        an_equal_task_is_returned_where_that_is_asked
        equal_tasks_in_one_submission_are_duplicates
        a_window_ends_when_its_time_has_passed
        the_window_is_that_of_the_later_submission
        a_window_counts_by_the_clock_of_the_store
        the_newest_equal_task_is_the_one_named
        without_a_window_the_end_of_a_task_does_not_free_its_identity
        pruning_a_task_frees_its_identity
        a_refused_submission_leaves_its_identities_free
        a_returned_duplicate_does_not_disturb_its_neighbours
        of_many_equal_tasks_at_once_exactly_one_is_made
    }
    versions {
        a_template_is_read_back_as_it_was_stored
        the_same_content_under_the_same_key_is_stored_once
        the_order_of_keys_makes_no_other_content
        other_content_under_a_taken_key_is_refused
        a_replaced_template_stays_for_the_tasks_made_of_it
        content_that_was_replaced_may_come_back
        a_task_keeps_the_version_it_was_made_with
        one_name_in_two_namespaces_is_two_templates
        keys_are_listed_in_order
        a_key_without_a_template_finds_none
        a_plan_is_made_once_for_each_priority
        a_plan_made_by_many_at_once_is_one
        a_plan_of_a_replaced_template_may_still_be_made
        numbers_that_name_nothing_find_nothing
    }
    claim {
        where_nothing_is_ready_nothing_is_claimed
        a_lease_says_what_may_be_done_until_when
        the_first_claim_starts_the_task
        the_record_names_the_worker_who_claimed
        a_claimed_step_is_not_claimed_again
        no_more_is_claimed_than_asked_for
        only_steps_of_the_queues_asked_for_are_claimed
        only_steps_of_the_handlers_asked_for_are_claimed
        a_handler_asked_for_twice_gives_its_steps_once
        what_has_been_ready_longest_comes_first
        higher_priorities_come_first
        the_priorities_of_task_and_step_add_up
        priorities_reach_from_the_least_number_to_the_greatest
        lanes_of_equal_priority_take_turns
        a_step_is_claimed_from_its_time_on
        one_claim_takes_steps_of_many_tasks
        a_claim_for_one_task_leaves_all_others_as_they_are
        a_claim_for_one_task_keeps_the_order_of_any_claim
        a_claim_for_a_task_unknown_paused_or_ended_gets_nothing
        a_settlement_may_claim_for_one_task
        a_lease_may_be_as_short_as_nothing_or_as_long_as_time
    }
    settle {
        a_chain_costs_one_commit_per_hop
        the_last_step_completes_the_task
        a_completed_step_keeps_its_results
        a_step_may_complete_with_null
        a_step_waits_for_all_it_depends_on
        parents_that_end_in_one_commit_free_their_child_once
        a_failed_attempt_says_why_and_when_again
        success_clears_the_failure_before_it
        the_time_of_the_next_attempt_may_be_a_point_in_time
        the_last_attempt_that_fails_blocks_the_task
        a_permanent_failure_blocks_at_its_first_attempt
        a_snooze_costs_no_attempt
        a_snooze_keeps_the_failure_of_the_attempt_before
        a_late_settle_changes_nothing
        an_attempt_is_settled_once
        only_the_holder_may_settle
        only_the_present_attempt_may_be_settled
        what_does_not_exist_cannot_be_settled
        a_settle_after_the_lease_ran_out_counts_until_the_rescue
        each_settlement_of_a_request_has_its_answer
        of_one_attempt_settled_twice_in_a_request_the_first_counts
        a_request_may_settle_and_claim_nothing
        verdicts_come_in_the_order_of_the_settlements
        a_task_goes_on_beside_a_failed_step
    }
    leases {
        a_renewed_lease_holds_from_now_on
        a_renewal_may_make_a_lease_shorter
        a_lease_that_is_gone_is_lost
        nothing_is_renewed_where_nothing_is_asked
        a_lease_renewed_twice_at_once_is_answered_twice
        a_lease_that_ran_out_may_be_renewed_until_the_rescue
        a_renewal_leaves_no_trace_in_the_feed
        a_lease_runs_out_at_its_time_and_not_before
        expired_leases_come_oldest_first
        the_step_of_a_dead_worker_is_attempted_again
        a_step_that_loses_every_worker_is_blocked
        a_lease_is_rescued_once
        a_rescue_may_end_an_attempt_in_any_way
    }
    readiness {
        the_roots_of_a_fresh_task_are_ready
        readiness_moves_down_a_chain
        nothing_is_ready_while_all_wait_for_one_at_work
        a_cancelled_step_is_not_ready
        a_step_in_a_long_backoff_is_not_ready
        a_second_before_its_time_a_failed_step_is_not_ready
        after_its_time_a_failed_step_is_ready
        the_fifth_failure_of_ten_waits_like_the_first
        a_step_without_attempts_left_is_blocked
        a_root_without_attempts_is_ready
        complete_and_resolved_parents_satisfy
        a_failed_parent_does_not_satisfy
        no_second_wait_lies_on_top_of_the_first
        a_step_at_work_is_not_ready
        a_step_that_is_not_retryable_runs_once
        steps_at_work_and_ended_ones_are_never_ready
        steps_are_read_task_by_task
        a_sequential_template_runs_one_step_after_another
    }
    progress {
        a_fresh_task_has_ready_steps
        a_task_whose_rest_waits_for_a_step_at_work_is_processing
        a_task_with_every_step_satisfied_is_all_complete
        a_task_in_backoff_waits_and_recovers
        a_task_whose_attempts_are_exhausted_is_blocked
        a_final_failure_beside_a_ready_step_is_recovering
        an_unknown_task_has_no_rows
        a_cancelled_step_does_not_keep_its_task_waiting
        a_failure_that_allows_no_retry_blocks_at_once
        no_template_is_without_steps
        the_counts_add_up_to_all_steps
    }
    states {
        a_step_is_cancelled_from_any_state_that_is_no_end
        only_a_failed_step_is_retried
        a_step_at_work_or_ended_is_not_resolved
        an_ended_step_is_not_changed
        a_task_is_cancelled_from_any_state_but_once
        only_a_task_in_error_is_resolved
        an_ended_task_is_not_paused
        an_ended_task_is_not_retried
        a_step_that_was_not_claimed_cannot_end
        a_step_is_claimable_only_after_satisfied_parents
        a_task_is_not_complete_before_its_last_step
        the_history_is_in_order_of_its_numbers
    }
    retry {
        a_retried_step_may_be_claimed_at_once
        a_reset_counts_attempts_anew
        a_reset_counts_by_the_template_and_not_by_a_changed_limit
        an_extension_gives_so_many_attempts_more
        an_extension_takes_no_attempt_away
        a_retry_does_not_wait_for_the_backoff
        all_that_failed_in_a_task_is_retried
        where_nothing_failed_there_is_nothing_to_retry
        a_task_blocked_by_a_cancelled_step_has_nothing_to_retry
        what_does_not_exist_is_not_retried
        a_retried_step_keeps_its_failure_until_it_succeeds
        a_retried_task_has_not_ended
    }
    cancel {
        a_cancelled_task_has_only_ended_steps
        a_cancelled_task_starts_nothing_further
        the_reason_of_a_cancellation_is_kept
        a_cancelled_task_is_not_cancelled_again
        a_task_that_is_blocked_or_complete_can_be_cancelled
        a_cancelled_step_leaves_the_others_running
        what_depends_on_a_cancelled_step_blocks_the_task
        a_task_is_judged_when_its_last_step_is_cancelled
        a_step_at_work_that_is_cancelled_is_lost_to_its_worker
        a_failed_step_that_is_cancelled_no_longer_blocks
        a_step_waiting_for_its_retry_can_be_cancelled
        what_does_not_exist_is_not_cancelled
        a_paused_task_can_be_cancelled
    }
    resolve {
        a_resolved_step_counts_as_complete
        a_step_resolved_without_results_has_none
        a_step_may_be_resolved_before_what_it_depends_on
        the_last_step_resolved_completes_the_task
        a_step_waiting_for_its_retry_can_be_resolved
        a_step_at_work_cannot_be_resolved
        a_resolved_task_cancels_what_has_not_ended
        a_task_that_is_not_in_error_cannot_be_resolved
        the_reason_of_a_resolution_is_kept
        what_does_not_exist_is_not_resolved
    }
    pause {
        no_step_of_a_paused_task_is_claimed
        a_resumed_task_goes_on_where_it_was
        what_runs_when_its_task_is_paused_runs_on
        every_step_of_a_paused_task_is_held
        a_retry_of_a_paused_task_waits_for_its_end
        a_paused_task_may_end
        a_task_is_paused_once_and_resumed_once
        what_does_not_exist_is_not_paused
        a_pause_leaves_no_trace_in_the_feed
        no_step_of_a_paused_namespace_is_claimed
        a_pause_of_a_namespace_says_whose_it_is
        two_pauses_must_both_end
    }
    update {
        the_reason_and_the_tags_of_a_task_can_be_changed
        what_is_not_given_stays_as_it_is
        an_ended_task_can_still_be_described
        the_retry_limit_of_a_step_can_be_changed
        a_limit_counts_when_the_next_attempt_fails
        a_raised_limit_does_not_wake_a_blocked_step
        a_lowered_limit_does_not_call_off_a_retry
        changed_inputs_take_the_place_of_the_context
        a_step_at_work_can_be_changed_for_its_next_attempt
        an_update_that_changes_nothing_is_no_error
        an_update_leaves_no_trace_in_the_feed
        what_does_not_exist_is_not_changed
    }
    feed {
        an_empty_feed_ends_where_it_begins
        the_feed_tells_the_history_of_every_task
        the_feed_is_the_same_in_pages_of_any_size
        a_cursor_finds_only_what_came_after_it
        a_page_of_nothing_does_not_move_the_cursor
        each_transition_says_when
        each_transition_says_who
        a_transition_reads_back_its_own_json
        the_history_of_a_step_is_what_its_task_says_of_it
        whoever_waits_for_ready_steps_is_told
        whoever_waits_for_the_feed_is_told
        whoever_holds_leases_is_told_of_a_cancellation
        whoever_waits_for_another_handler_is_told
        whoever_waits_for_another_handler_of_the_same_task_is_told
        nobody_is_told_of_a_step_that_its_commit_claims
        whoever_waits_for_a_backoff_is_told_when_it_ends
    }
    reads {
        a_list_comes_in_pages
        a_list_is_in_the_order_of_the_ids
        a_list_may_be_of_one_namespace_or_name
        a_list_may_be_of_some_states
        a_list_may_be_of_tasks_with_all_of_some_tags
        histories_come_in_the_order_asked
        inputs_come_in_the_order_asked
        a_handler_gets_the_results_of_what_it_depends_on
        a_handler_gets_nothing_of_a_step_that_merely_ran_before
        every_lane_is_told_with_its_oldest_ready_step
        a_lane_says_whether_its_namespace_is_paused
        a_step_out_of_range_does_not_exist
    }
    backlog {
        a_lane_counts_what_is_ready_and_what_is_at_work
        a_lane_of_a_paused_namespace_counts_what_waits_nevertheless
        a_lane_tells_since_when_its_oldest_attempt_is_at_work
        a_long_queue_is_counted_to_its_limit
        tasks_that_nobody_has_begun_are_late
        late_tasks_are_counted_by_namespace
        what_is_paused_is_not_late
        a_task_may_be_late_at_any_time
        tasks_are_counted_by_state
    }
    upkeep {
        an_empty_store_has_no_deadline
        the_next_deadline_is_the_earliest_to_come
        a_lease_that_ran_out_stays_a_deadline_until_the_rescue
        what_is_held_or_ended_is_no_deadline
        only_tasks_that_ended_are_pruned
        failed_tasks_are_kept_for_a_time_of_their_own
        a_round_of_pruning_has_its_limit
        of_a_pruned_task_nothing_is_left
        a_cursor_outlives_what_it_points_at
        a_worker_is_read_back_as_it_said
        the_last_word_of_a_worker_counts
        a_worker_that_was_not_seen_is_not_told
        workers_that_were_not_seen_for_a_day_are_forgotten_some_with_each_beat
        a_worker_that_left_is_gone_but_its_leases_hold
    }
    workflows {
        a_linear_workflow_runs_in_order
        the_branches_of_a_diamond_run_side_by_side
        a_diamond_waits_for_its_slower_branch
        four_roots_start_at_once_and_the_merge_sees_them_all
        a_tree_runs_level_by_level
        a_mixed_workflow_starts_each_step_as_soon_as_it_can
        a_leaf_on_the_side_must_be_complete_before_its_task
        a_step_that_fails_once_costs_one_wait
        a_step_that_always_fails_has_three_attempts
        a_failed_root_does_not_keep_the_other_from_its_end
        a_step_held_by_another_worker_holds_up_what_follows
        a_killed_worker_loses_no_task
        two_workers_make_each_attempt_once
        a_workflow_cancelled_on_the_way_stops_there
        a_complete_workflow_does_not_run_again
        a_blocked_workflow_goes_on_after_a_retry
    }
    concurrency {
        many_workers_share_the_work_and_none_is_done_twice
        parents_settled_by_many_callers_at_once_free_their_child
        the_verdict_on_a_task_is_told_to_one_caller
        of_many_who_settle_one_attempt_only_the_holder_counts
        a_holder_and_a_rescuer_at_once_end_an_attempt_once
        a_cancellation_amid_the_work_leaves_nothing_open
        submissions_of_many_callers_are_not_mixed_up
        a_reader_of_the_feed_misses_nothing_that_is_written_meanwhile
        a_pause_amid_the_work_is_kept_by_all
    }
    text {
        hostile_texts_come_back_from_json
        numbers_come_back_exactly
        deep_values_come_back
        large_values_come_back
        plain_values_come_back
        hostile_texts_come_back_from_a_task
        hostile_texts_come_back_from_commands
        hostile_names_work_like_others
        hostile_identities_are_told_apart
    }
    large {
        a_thousand_steps_fan_out_and_in
        a_thousand_steps_in_a_row_run_in_order
        a_task_of_many_steps_is_cancelled_as_a_whole
        many_tasks_are_submitted_and_run_together
        dense_layers_are_counted_right
    }
}

/// Runs a case, and checks afterwards that everything stored is as it must be.
///
/// # Panics
///
/// If the store does not behave, or takes longer than [`PATIENCE`].
pub async fn run(subject: &str, case: &str, bench: &Bench) {
    let case = find(subject, case).expect("the case is listed");
    let checked = async {
        case(bench).await;
        bench.check_everything().await;
    };
    tokio::time::timeout(PATIENCE, checked).await.expect("a case ends in time");
}
