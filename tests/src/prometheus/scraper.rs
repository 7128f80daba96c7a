//! A Prometheus that reads one target every second.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::http::{escaped, get};
use super::tools::tool;

const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// One answer to a query: labels and a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The labels by name.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// A Prometheus, which ends with this value and keeps its data in a temporary folder.
#[derive(Debug)]
pub struct Scraper {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Scraper {
    /// Starts a Prometheus that reads `target` every second and evaluates the rules of `rules` as often.
    ///
    /// # Errors
    ///
    /// If it does not become ready.
    pub fn start(target: SocketAddr, rules: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tasker-prometheus-").tempdir()?;
        let rules = rules.display();
        let settings = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [ \"{rules}/alerts.yml\", \"{rules}/recording.yml\" ]\n\
             scrape_configs: [ {{ job_name: tasker, static_configs: [ {{ targets: [ \"{target}\" ] }} ] }} ]\n"
        );
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, settings)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(tool("TASKER_TEST_PROMETHEUS")?)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start prometheus")?;
        let scraper = Self { child, address, _folder: folder };
        scraper.until("it is ready", || get(address, "/-/ready", "*/*").map(drop).ok())?;
        Ok(scraper)
    }

    /// Asks the API, and returns what it answers as `data`.
    ///
    /// # Errors
    ///
    /// If it does not answer, or with an error.
    pub fn api(&self, path: &str) -> Result<Value> {
        let answer: Value = serde_json::from_str(&get(self.address, &format!("/api/v1/{path}"), "*/*")?)?;
        ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].clone())
    }

    /// What a query answers now.
    ///
    /// # Errors
    ///
    /// If Prometheus does not understand it.
    pub fn query(&self, query: &str) -> Result<Vec<Sample>> {
        let data = self.api(&format!("query?query={}", escaped(query))).with_context(|| query.to_owned())?;
        let samples = data["result"].as_array().context("a query has results")?;
        let sample = |sample: &Value| {
            let labels = serde_json::from_value(sample["metric"].clone())?;
            let value = sample["value"][1].as_str().context("a value is a text")?.parse()?;
            Ok(Sample { labels, value })
        };
        samples.iter().map(sample).collect()
    }

    /// What a query answers now, by the value of one label.
    ///
    /// # Errors
    ///
    /// If Prometheus does not understand it.
    pub fn counts_by(&self, label: &str, query: &str) -> Result<BTreeMap<String, f64>> {
        let samples = self.query(query)?.into_iter();
        Ok(samples
            .map(|mut sample| (sample.labels.remove(label).unwrap_or_default(), sample.value))
            .collect())
    }

    /// Looks again and again until there is something to see.
    ///
    /// # Errors
    ///
    /// After twenty seconds.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(seen) = look() {
                return Ok(seen);
            }
            // sleep: another process is looked at, which sends no signal.
            std::thread::sleep(POLL);
        }
        bail!("Prometheus was watched for {PATIENCE:?} until {what}, in vain")
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
