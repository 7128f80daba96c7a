//! Damaged templates are read or refused with a reason, and never more than that.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tasker_core::{ParseOptions, TaskTemplate};

mod common;

use common::fixtures;

const SEED: u64 = 20_240_601;
const ROUNDS: usize = 400;

/// Lines taken out, doubled, moved, indented, or with a character changed.
fn damaged(text: &str, rng: &mut StdRng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..rng.random_range(1..=4) {
        let line = rng.random_range(0..lines.len());
        match rng.random_range(0..6) {
            0 => drop(lines.remove(line)),
            1 => lines.insert(line, lines[line].clone()),
            2 => {
                let other = rng.random_range(0..lines.len());
                lines.swap(line, other);
            }
            3 => lines[line].insert_str(0, "  "),
            4 => lines[line] = lines[line].replacen("  ", "", 1),
            _ => {
                let position = rng.random_range(0..=lines[line].chars().count());
                let at = lines[line].char_indices().nth(position).map_or(lines[line].len(), |(at, _)| at);
                let marks = [':', '-', '[', '{', '"', '\'', '#', '&', '*', '!', '|', '%', '\t', '\u{0}', 'é'];
                lines[line].insert(at, marks[rng.random_range(0..marks.len())]);
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

#[test]
fn a_damaged_template_is_read_or_refused_with_a_reason() {
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut read, mut refused) = (0, 0);
    for (name, text) in fixtures() {
        for round in 0..ROUNDS {
            let damaged = damaged(&text, &mut rng);
            let environment = rng.random_bool(0.5).then(|| "test".to_owned());
            let options = ParseOptions { environment, strict: rng.random_bool(0.5), file: None };
            match TaskTemplate::parse(&damaged, &options) {
                Ok(parsed) => {
                    read += 1;
                    let again = TaskTemplate::from_definition(&parsed.template.definition);
                    let again = again.unwrap_or_else(|errors| panic!("seed {SEED} {name} {round}: {errors}"));
                    assert_eq!(again.digest(), parsed.template.digest(), "seed {SEED} {name} {round}");
                }
                Err(errors) => {
                    refused += 1;
                    assert!(errors.errors().count() > 0, "seed {SEED} {name} {round}:\n{damaged}");
                }
            }
        }
    }
    assert!(read > 100 && refused > 100, "read {read}, refused {refused}");
}
