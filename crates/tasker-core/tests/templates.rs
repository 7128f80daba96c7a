//! The template files beside this one have the shapes that the other tests count on.

use std::fmt::Write;

use tasker_core::{ParseOptions, TaskTemplate, analyze, canonical_json};

mod common;

use common::fixtures;

fn fixture(name: &str) -> TaskTemplate {
    let (_, text) = fixtures().into_iter().find(|(known, _)| known == name).expect("a fixture");
    let parsed = TaskTemplate::parse(&text, &ParseOptions::default());
    parsed.unwrap_or_else(|errors| panic!("{errors}")).template
}

/// Steps, dependencies, levels, widest level, paths, roots and leaves of a template, in one line each.
fn shape(name: &str) -> String {
    let template = fixture(name);
    let analysis = analyze(&template);
    let levels: Vec<String> =
        template.steps.iter().map(|step| analysis.graph.levels[step.name.as_str()].to_string()).collect();
    let mut text = String::new();
    let summary = analysis.graph.summary;
    writeln!(text, "{} steps, {} edges", summary.total_steps, summary.total_dependencies).expect("text");
    writeln!(text, "levels {}, widest {}", levels.join(" "), analysis.graph.widest_level).expect("text");
    writeln!(text, "paths {}", analysis.graph.paths).expect("text");
    writeln!(text, "roots {}", analysis.graph.roots.join(" ")).expect("text");
    write!(text, "leaves {}", analysis.graph.leaves.join(" ")).expect("text");
    text
}

#[test]
fn linear_is_a_chain_of_six() {
    insta::assert_snapshot!(shape("linear"), @r"
    6 steps, 5 edges
    levels 0 1 2 3 4 5, widest 1
    paths 1
    roots initialize_data
    leaves finalize_workflow
    ");
}

#[test]
fn diamond_parts_and_meets() {
    insta::assert_snapshot!(shape("diamond"), @r"
    7 steps, 7 edges
    levels 0 1 1 2 2 3 4, widest 2
    paths 2
    roots start_workflow
    leaves end_workflow
    ");
}

#[test]
fn parallel_merge_has_four_roots() {
    insta::assert_snapshot!(shape("parallel_merge"), @r"
    7 steps, 6 edges
    levels 0 0 0 0 1 1 2, widest 4
    paths 4
    roots fetch_user_data fetch_order_data fetch_inventory_data fetch_pricing_data
    leaves merge_all_data
    ");
}

#[test]
fn tree_has_four_ways() {
    insta::assert_snapshot!(shape("tree"), @r"
    8 steps, 10 edges
    levels 0 1 1 2 2 2 2 3, widest 4
    paths 4
    roots root_initialization
    leaves aggregate_results
    ");
}

#[test]
fn mixed_has_two_roots_and_two_leaves() {
    insta::assert_snapshot!(shape("mixed"), @r"
    9 steps, 9 edges
    levels 0 0 1 1 2 3 3 2 4, widest 2
    paths 5
    roots init_auth init_config
    leaves process_optional_data finalize_and_report
    ");
}

#[test]
fn dummy_has_a_step_that_stands_alone() {
    insta::assert_snapshot!(shape("dummy"), @r"
    4 steps, 2 edges
    levels 0 0 1 2, widest 2
    paths 2
    roots step-one step-two
    leaves step-one step-four
    ");
}

#[test]
fn configurable_failure_is_a_chain_of_four() {
    insta::assert_snapshot!(shape("configurable_failure"), @r"
    4 steps, 3 edges
    levels 0 1 2 3, widest 1
    paths 1
    roots reliable_step
    leaves idempotent_step
    ");
}

#[test]
fn parallel_chunks_has_three_in_the_middle() {
    insta::assert_snapshot!(shape("parallel_chunks"), @r"
    5 steps, 6 edges
    levels 0 1 1 1 2, widest 3
    paths 3
    roots initialize_batch
    leaves aggregate_results
    ");
}

#[test]
fn api_task_joins_two_fetches() {
    insta::assert_snapshot!(shape("api_task"), @r"
    5 steps, 4 edges
    levels 0 0 1 2 3, widest 2
    paths 2
    roots fetch_cart fetch_products
    leaves publish_event
    ");
}

#[test]
fn a_linear_template_is_analysed_in_its_declared_order() {
    let template = fixture("linear");
    let analysis = analyze(&template);
    let declared: Vec<&str> = template.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(analysis.graph.topology, declared);
    assert_eq!(analysis.graph.critical_path, declared);
    assert_eq!(analysis.nodes.len(), 6);
    assert_eq!(analysis.edges.len(), 5);
    assert!(!analysis.graph.summary.has_cycles && analysis.graph.cycles.is_empty());
}

#[test]
fn the_diamond_meets_in_one_step() {
    let analysis = analyze(&fixture("diamond"));
    let merge = analysis.nodes.iter().find(|node| node.name == "merge_branches").expect("defined");
    assert_eq!(merge.dependencies, ["branch_one_validate", "branch_two_validate"]);
    assert!(analysis.graph.summary.parallel_branches > 1);
    assert_eq!(analysis.graph.summary.max_depth, 4);
}

#[test]
fn the_analysis_is_served_under_the_names_of_the_rails_engine() {
    let json = serde_json::to_value(analyze(&fixture("dummy"))).expect("serializable");
    insta::assert_snapshot!(canonical_json(&json["edges"]), @r#"[{"from":"step-two","to":"step-three","type":"single"},{"from":"step-three","to":"step-four","type":"single"}]"#);
    insta::assert_snapshot!(canonical_json(&json["nodes"][2]), @r#"{"dependencies":["step-two"],"dependency_count":1,"description":"Step Three Dependent on Step Two","handler_class":"reliable","name":"step-three"}"#);
    insta::assert_snapshot!(canonical_json(&json["summary"]), @r#"{"has_cycles":false,"max_depth":2,"parallel_branches":2,"total_dependencies":2,"total_steps":4}"#);
    insta::assert_snapshot!(canonical_json(&json["levels"]), @r#"{"step-four":2,"step-one":0,"step-three":1,"step-two":0}"#);
}

#[test]
fn every_fixture_is_read_without_a_warning_even_strictly() {
    for (name, text) in fixtures() {
        let options = ParseOptions { file: Some(name.clone()), strict: true, ..ParseOptions::default() };
        let parsed = TaskTemplate::parse(&text, &options).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(parsed.warnings, [], "{name}");
    }
}

#[test]
fn a_stored_definition_gives_the_same_template_again() {
    for (name, text) in fixtures() {
        for environment in [None, Some("test"), Some("production"), Some("nowhere")] {
            let options =
                ParseOptions { environment: environment.map(str::to_owned), ..ParseOptions::default() };
            let template = TaskTemplate::parse(&text, &options).expect("valid").template;
            let stored = serde_json::to_string(&template.definition).expect("text");
            let again =
                TaskTemplate::from_definition(&serde_json::from_str(&stored).expect("JSON")).expect("valid");
            assert_eq!(again.steps, template.steps, "{name}");
            assert_eq!(again.key(), template.key(), "{name}");
            assert_eq!(again.graph(), template.graph(), "{name}");
            assert_eq!(again.digest_hex(), template.digest_hex(), "{name}");
        }
    }
}
