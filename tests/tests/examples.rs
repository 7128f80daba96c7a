//! The examples do what they say.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tasker_tests::binaries;
use tasker_tests::docs::copy_folder;
use tempfile::TempDir;

/// A copy of the examples, to run them in.
fn examples() -> Result<TempDir> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let folder = tempfile::tempdir()?;
    copy_folder(&root.join("docs/examples"), folder.path())?;
    Ok(folder)
}

/// Runs `tasker` and returns the last line of what it prints: the whole task.
fn run(folder: &Path, arguments: &[&str]) -> Result<Value> {
    let tasker: PathBuf = binaries::folder(&["tasker"])?.join("tasker");
    let output =
        Command::new(tasker).arg("run").arg("--json").args(arguments).current_dir(folder).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?} ended with {}: {stderr}", output.status);
    let last = output.stdout.lines().last().context("it prints the task")??;
    Ok(serde_json::from_str(&last)?)
}

/// Species, and for each how many birds were weighed, their mean mass and their mean flipper length: read off the
/// file in another way than the template does.
fn expected(csv: &str) -> Vec<(String, usize, f64, f64)> {
    let mut by_species: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for row in csv.lines().skip(1) {
        let cells: Vec<_> = row.split(',').collect();
        let (masses, flippers) = by_species.entry(cells[0]).or_default();
        masses.extend(cells[5].parse::<f64>());
        flippers.extend(cells[4].parse::<f64>());
    }
    let mean =
        |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(1));
    let species = by_species.iter();
    species
        .map(|(name, (m, f))| ((*name).to_owned(), m.len(), mean(m).round(), (mean(f) * 10.0).round() / 10.0))
        .collect()
}

#[test]
fn the_penguins_are_counted_and_weighed_right() -> Result<()> {
    let folder = examples()?;
    let task = run(folder.path(), &["penguins/penguins.yaml"])?;
    ensure!(task["status"] == "complete" && task["steps"].as_array().is_some_and(|steps| steps.len() == 8));
    let report = fs::read_to_string(folder.path().join("penguins/report.md"))?;
    let csv = fs::read_to_string(folder.path().join("penguins/data/penguins.csv"))?;
    let expected = expected(&csv);
    assert_eq!(expected.iter().map(|(_, birds, ..)| birds).sum::<usize>(), 342, "two birds were not weighed");
    let rows: Vec<Vec<&str>> = report
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Species"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), expected.len());
    for (row, (species, birds, mass, flipper)) in rows.iter().zip(&expected) {
        assert_eq!((row[0], row[1].parse()), (species.as_str(), Ok(*birds)));
        assert!((row[2].parse::<f64>()? - mass).abs() < 0.01, "{row:?}");
        assert!((row[3].parse::<f64>()? - flipper).abs() < 0.01, "{row:?}");
    }
    Ok(())
}

struct Shop(Child);

impl Drop for Shop {
    fn drop(&mut self) {
        // It runs until the test ends.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_card_is_charged_in_the_third_attempt() -> Result<()> {
    let folder = examples()?;
    let stub = binaries::folder(&["shop-stub"])?.join("shop-stub");
    let mut shop = Shop(Command::new(stub).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    let mut lines = BufReader::new(shop.0.stdout.take().context("it is piped")?);
    lines.read_line(&mut line)?;
    let address = line.trim().rsplit_once(' ').context("an address")?.1.to_owned();
    let address = format!("shop={address}");
    let bindings = ["--bindings", "orders/bindings.yaml", "--context", "cart_id=42", "--context", &address];
    let task = run(folder.path(), &[&["orders/order.yaml"], &bindings[..]].concat())?;
    let steps = task["steps"].as_array().context("steps")?;
    let charge = steps.iter().find(|step| step["name"] == "charge_card").context("it is a step")?;
    assert_eq!((&charge["attempts"], &charge["status"]), (&Value::from(3), &Value::from("complete")));
    assert_eq!(charge["results"]["body"]["amount_cents"], 3_300, "two teas and a cup");
    Ok(())
}

#[test]
fn the_loan_desk_decides() -> Result<()> {
    let desk = binaries::folder(&["example-loan-desk"])?.join("example-loan-desk");
    let output = Command::new(desk).args(["Ada", "12000", "3000"]).output()?;
    let answer = String::from_utf8(output.stdout)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(answer == "Ada: granted, 91 points, and 261 euros a month are affordable\n", "{answer}{stderr}");
    Ok(())
}
