use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

/// What comes of a filter in a thread of its own, as it is to be run.
fn run(text: &str, max_steps: u64) -> Result<Vec<Value>, String> {
    let text = text.to_owned();
    let outputs = move || {
        let filter = Filter::compile(&text).map_err(|error| error.to_string())?;
        let input = json!({ "context": { "amount": 3, "names": ["b", "a"] } });
        filter.run(&input, max_steps, &Arc::default()).map_err(|error| error.to_string())
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(outputs).unwrap();
    thread.join().expect("no filter makes the interpreter panic")
}

fn done(text: &str) -> Value {
    let mut outputs = run(text, 10_000_000).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(outputs.len() <= 1, "{text}: {outputs:?}");
    outputs.pop().unwrap_or(Value::Null)
}

fn refusal(text: &str) -> String {
    run(text, 100_000).expect_err(text)
}

#[test]
fn the_language_is_whole_in_spite_of_the_guard() {
    for (filter, output) in [
        ("[.context.names[] as $n | {($n): 1}] | add", json!({ "a": 1, "b": 1 })),
        (".context | .names[] |= ascii_upcase | .names", json!(["B", "A"])),
        (".context | [paths]", json!([["amount"], ["names"], ["names", 0], ["names", 1]])),
        ("def f: if . > 99999 then . else . + 1 | f end; 0 | f", json!(100_000)),
        ("def g: .context.names[0]; g |= \"c\" | .context.names", json!(["c", "a"])),
        ("[limit(3; repeat(1))]", json!([1, 1, 1])),
        ("[.context | .. | strings]", json!(["b", "a"])),
        ("\"a1b2\" | gsub(\"[0-9]\"; \"-\")", json!("a-b-")),
        ("try error(\"x\") catch .", json!("x")),
        ("[.context.names[] | select(. > \"a\")] | first", json!("b")),
        ("reduce range(5) as $i (0; . + $i)", json!(10)),
        ("[foreach (1, 2) as $i (0; . + $i)]", json!([1, 3])),
        ("label $out | 1, break $out, 2", json!(1)),
        ("\"\\(.context.amount)!\" | @base64", json!("MyE=")),
        (".context.names | debug | to_entries[0].key", json!(0)),
        ("[range(0; 6; 2)]", json!([0, 2, 4])),
        ("empty", json!(null)),
    ] {
        assert_eq!(done(filter), output, "{filter}");
    }
}

#[test]
fn a_filter_that_goes_on_and_on_is_halted() {
    for filter in [
        "[range(1e12)]",
        "last(range(1e12))",
        "def f: f; f",
        "try (def f: f; f) catch 1",
        "first(range(1e12) | select(. < 0))",
        "[range(300)] as $a | [$a[] as $x | $a[] as $y | $a[] as $z | select($x + $y + $z < 0)] | length",
        "until(false; .)",
        "reduce repeat(1) as $x (0; . + $x)",
    ] {
        let refusal = refusal(filter);
        assert_eq!(
            refusal, "the filter made more than 100000 steps; let it do less, or use a command",
            "{filter}"
        );
    }
}

#[test]
fn a_recursion_without_end_is_halted_before_the_stack_is_used_up() {
    assert_eq!(refusal("def f: 1 + f; f"), "the filter calls itself too deep; does its recursion end?");
}

#[test]
fn an_output_nested_too_deep_is_refused() {
    let refusal = refusal("reduce range(200) as $i (0; [.])");
    assert_eq!(refusal, "an output of the filter is nested deeper than JSON may be");
}

/// Filters that would take all memory or all time, and the limit that each runs into.
const HOSTILE: [(&str, &str); 35] = [
    (r#""x" * 1000000000000"#, "a text of more than 16 MiB"),
    (r#""x" * 1e30"#, "cannot calculate \"x\" * "),
    (r#""x" * 99999999999999999999999"#, "a text of more than 16 MiB"),
    (r#"try ("x" * 1000000000000) catch 1"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; . + .)"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; . += .)"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; "\(.)\(.)")"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; [., .] | join(""))"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; [., .] | add)"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("<"; @html "\(.)\(.)")"#, "a text of more than 16 MiB"),
    (r#"reduce range(40) as $i ("x"; gsub("x"; "xx"))"#, "steps"),
    (r#"reduce range(40) as $i ("x"; .[1:1] = .)"#, "a text of more than 16 MiB"),
    ("reduce range(40) as $i (2; . * .)", "an integer of more than 4096 digits"),
    ("reduce range(40) as $i (2; . *= .)", "an integer of more than 4096 digits"),
    ("reduce range(1; 3000) as $i (1; . * $i)", "an integer of more than 4096 digits"),
    ("try (reduce range(40) as $i (-7; . * .)) catch 0", "an integer of more than 4096 digits"),
    ("reduce range(40) as $i ([1]; . + .)", "a value of more than 64 MiB"),
    ("reduce range(40) as $i ([1]; [., .])", "a value of more than 64 MiB"),
    ("reduce range(40) as $i ([]; {a: ., b: .}) | tojson", "a value of more than 64 MiB"),
    ("reduce range(40) as $i ([1]; .[0:0] = .)", "a value of more than 64 MiB"),
    ("reduce range(40) as $i ({}; {a: ., b: .} * {c: .})", "a value of more than 64 MiB"),
    ("reduce range(40) as $i ([]; [., .]) as $x | $x == $x", "a value of more than 64 MiB"),
    ("(\"x\" * 16000000) as $x | [range(9) | $x]", "a value of more than 64 MiB"),
    ("(\"x\" * 16000000) as $x | [$x] | error", "the filter failed: "),
    ("(\"x\" * 16000000) as $x | $x.a", "the filter failed: cannot index "),
    ("[range(40)] as $l | reduce range(40) as $i ({}; .[$i | tostring] = ($l | map($l)))", "OK"),
    ("[limit(40; repeat(\"x\" * 15000000)) | explode]", "a value of more than 64 MiB"),
    (
        "[range(20) | \"x\" * 15000000 + tostring | ascii_upcase | [.]] | length",
        "a value of more than 64 MiB",
    ),
    (
        "def f($n; $kept): if $n == 0 then 0 else f($n - 1; [$kept, \"x\" * 15000000 + \"\\($n)\"]) end; f(40; null)",
        "a value of more than 64 MiB",
    ),
    (
        "def f($n): if $n == 0 then 0 else (\"x\" * 15000000 + \"\\($n)\") as $kept | f($n - 1) + ($kept | length) end; f(40)",
        "take more than 256 MiB",
    ),
    (
        "[range(100000)] as $all | def f($n): if $n == 0 then 0 else ($all | .[$n] = 0) as $kept | f($n - 1) + ($kept | length) end; f(400)",
        "take more than 256 MiB",
    ),
    ("reduce range(100000) as $i (0; [.])", "nested more than 1000 deep"),
    ("reduce range(100000) as $i (0; {a: .})", "nested more than 1000 deep"),
    ("[range(2000)] | contains(.)", "steps"),
    ("(\"ab\" * 1000000) as $x | $x | indices(\"ab\" * 400000) | length", "steps"),
];

#[test]
fn a_hostile_filter_ends_at_a_limit_that_is_named() {
    let mut surprises = Vec::new();
    for (filter, limit) in HOSTILE {
        let ending = run(filter, 300_000).err().unwrap_or_else(|| "OK".to_owned());
        if !ending.contains(limit) || ending.len() > 1_000 {
            surprises.push(format!("{filter}: {}", ending.chars().take(1_000).collect::<String>()));
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(peak_mebibytes() < 900, "{} MiB", peak_mebibytes());
}

/// The most memory that this process has had so far.
fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kibibytes| kibibytes.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

#[test]
fn calls_that_are_kept_count_as_memory_and_tail_calls_do_not() {
    for filter in ["def f: f, f; f", "def f: (1, 2) | f; f"] {
        let refusal = run(filter, 10_000_000).expect_err(filter);
        assert!(refusal.contains("take more than 256 MiB"), "{filter}: {refusal}");
    }
    assert_eq!(done("def f: if . > 600000 then . else . + 1 | f end; 0 | f"), json!(600_001));
    assert!(peak_mebibytes() < 900, "{} MiB", peak_mebibytes());
}

#[test]
fn a_filter_nested_as_deep_as_its_length_allows_does_not_use_up_the_stack() {
    for part in [
        "[",
        "-",
        "try ",
        ".|",
        "if . then ",
        "def f: ",
        "{a:",
        ".a=",
        "\"\\(",
        "reduce . as $x (",
        "1+",
        ".[",
        "..|",
    ] {
        let filter = part.repeat(FILTER_BYTES / part.len() - 1) + "1";
        // Whether it can be read at all is another matter.
        drop(run(&filter, 1_000));
    }
    assert_eq!(refusal(&" ".repeat(FILTER_BYTES + 1)), "it has more than 16384 bytes");
}
