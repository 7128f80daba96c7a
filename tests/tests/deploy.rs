//! What stands in `deploy` fits together: files that name each other, settings that the programs know, metrics that
//! there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tasker_core::read_document;
use tasker_tests::binaries;

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")
}

fn folder() -> Result<PathBuf> {
    Ok(root()?.join("deploy"))
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(folder()?.join(path)).with_context(|| format!("cannot read deploy/{path}"))
}

fn yaml(path: &str) -> Result<Value> {
    read_document(&text(path)?, Some(path)).map_err(|error| anyhow!("{error}"))
}

/// The elements of a list, none if it is missing.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

fn services(compose: &Value) -> Result<&serde_json::Map<String, Value>> {
    compose["services"].as_object().context("compose has services")
}

/// The mounts of all services: what is mounted, and where.
fn mounts(compose: &Value) -> Result<Vec<(&str, &str)>> {
    let volumes = services(compose)?.values().flat_map(|service| texts(&service["volumes"]));
    volumes
        .map(|volume| {
            let (source, place) = volume.split_once(':').context("a volume has a place")?;
            Ok((source, place.trim_end_matches(":ro")))
        })
        .collect()
}

#[test]
fn every_file_and_volume_that_compose_mounts_is_there() -> Result<()> {
    let compose = yaml("compose/compose.yml")?;
    let mounts = mounts(&compose)?;
    ensure!(mounts.len() > 8, "{mounts:?}");
    for (source, _) in mounts {
        let is_there = if source.starts_with('.') {
            folder()?.join("compose").join(source).is_file()
        } else {
            compose["volumes"].get(source).is_some()
        };
        ensure!(is_there, "compose mounts {source}, which is not there");
    }
    Ok(())
}

#[test]
fn compose_publishes_to_this_machine_alone_and_waits_for_services_that_it_has() -> Result<()> {
    let compose = yaml("compose/compose.yml")?;
    let services = services(&compose)?;
    let mut published = Vec::new();
    for (name, service) in services {
        for port in texts(&service["ports"]) {
            let ports = port.strip_prefix("127.0.0.1:").and_then(|ports| ports.split_once(':'));
            let (outer, inner) = ports.with_context(|| format!("{name} publishes {port} to everybody"))?;
            ensure!(outer == inner, "{name} is at {inner} inside and at {outer} outside");
            published.push(outer);
        }
        let named = service["depends_on"].as_object().into_iter().flat_map(|named| named.keys());
        for other in named.map(String::as_str).chain(texts(&service["depends_on"])) {
            ensure!(services.contains_key(other), "{name} waits for {other}, which compose does not have");
        }
        ensure!(
            service.get("image").is_some() != service.get("build").is_some(),
            "{name} is made of nothing"
        );
    }
    published.sort_unstable();
    ensure!(published == ["16686", "3000", "4317", "8484", "9090"], "{published:?}");
    Ok(())
}

/// The server says itself that it knows the settings, and what it makes of them.
#[test]
fn the_server_understands_what_compose_tells_it() -> Result<()> {
    let compose = yaml("compose/compose.yml")?;
    let server = &services(&compose)?["server"];
    let mut command = Command::new(binaries::folder(&["tasker-server"])?.join("tasker-server"));
    command.args(texts(&server["command"])).arg("--print-config").current_dir(std::env::temp_dir());
    for (name, value) in server["environment"].as_object().context("the server has an environment")? {
        command.env(name, value.as_str().context("a setting is a text")?);
    }
    let output = command.output()?;
    let printed = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let traces = printed.split_once("[traces]").context("there are settings of traces")?.1;
    let traces = traces.split("\n[").next().unwrap_or_default();
    ensure!(traces.contains("enabled = true"), "it sends no traces: {traces}");
    ensure!(traces.contains("endpoint = \"http://jaeger:4317\""), "Jaeger is elsewhere: {traces}");
    ensure!(services(&compose)?.contains_key("jaeger"), "there is no Jaeger");
    for line in ["listen = \"0.0.0.0:8484\"", "enabled = true", "format = \"json\"", "postgres:5432/tasker"] {
        ensure!(printed.contains(line), "it has no {line}: {printed}");
    }
    let seconds = printed.lines().find_map(|line| line.strip_prefix("drain_timeout_seconds = "));
    let drain: u32 = seconds.and_then(|rest| rest.split(' ').next()).context("it drains")?.parse()?;
    let grace = server["stop_grace_period"].as_str().context("it has time to stop")?;
    ensure!(grace.trim_end_matches('s').parse::<u32>()? > drain, "it is killed while it drains");
    Ok(())
}

#[test]
fn prometheus_and_grafana_find_each_other_and_what_they_load() -> Result<()> {
    let compose = yaml("compose/compose.yml")?;
    let places: Vec<&str> = mounts(&compose)?.into_iter().map(|(_, place)| place).collect();
    let settings = yaml("prometheus/prometheus.yml")?;
    let files = &settings["scrape_configs"][0]["file_sd_configs"][0]["files"];
    for file in texts(&settings["rule_files"]).chain(texts(files)) {
        let place = format!("/etc/prometheus/{file}");
        ensure!(places.contains(&&*place), "compose does not mount {place}");
        ensure!(folder()?.join("prometheus").join(file).is_file(), "prometheus/{file} is not there");
    }
    ensure!(settings["scrape_configs"][0]["job_name"] == "tasker", "alerts ask for job tasker");
    ensure!(yaml("compose/targets.yml")?[0]["targets"][0] == "server:8484", "the server is elsewhere");
    let source = &yaml("compose/grafana/datasource.yml")?["datasources"][0];
    ensure!(source["url"] == "http://prometheus:9090" && source["type"] == "prometheus", "{source}");
    let provider = &yaml("compose/grafana/dashboards.yml")?["providers"][0];
    let path = provider["options"]["path"].as_str().context("a provider has a path")?;
    ensure!(places.contains(&&*format!("{path}/tasker.json")), "the dashboard is not in {path}");
    Ok(())
}

#[test]
fn the_container_is_built_by_the_compiler_of_this_repository_from_a_program_that_there_is() -> Result<()> {
    let file = text("container/Containerfile")?;
    let toolchain = fs::read_to_string(root()?.join("rust-toolchain.toml"))?;
    let channel = toolchain.split('"').nth(1).context("the toolchain has a channel")?;
    ensure!(
        file.contains(&format!("FROM rust:{channel}-slim-bookworm AS build\n")),
        "not built by {channel}"
    );
    let compose = yaml("compose/compose.yml")?;
    let build = &services(&compose)?["server"]["build"];
    ensure!(
        build["dockerfile"] == "deploy/container/Containerfile" && build["context"] == "../..",
        "{build}"
    );
    let binary =
        file.lines().find_map(|line| line.strip_prefix("ARG BINARY=")).context("it has a default")?;
    ensure!(build["args"]["BINARY"] == binary, "{build}");
    // Finds the program among those that are built, or builds it.
    binaries::folder(&[binary, "tasker-worker", "tasker"]).map(drop)
}

/// Every query of the dashboard and of the rules.
fn queries() -> Result<Vec<String>> {
    let board: Value = serde_json::from_str(&text("grafana/tasker.json")?)?;
    let targets = list(&board["panels"]).flat_map(|panel| list(&panel["targets"]).collect::<Vec<_>>());
    let mut queries: Vec<String> =
        targets.filter_map(|target| target["expr"].as_str()).map(str::to_owned).collect();
    for file in ["prometheus/alerts.yml", "prometheus/recording.yml"] {
        let rules = yaml(file)?;
        let rules = list(&rules["groups"]).flat_map(|group| list(&group["rules"]).collect::<Vec<_>>());
        queries.extend(rules.filter_map(|rule| rule["expr"].as_str()).map(str::to_owned));
    }
    Ok(queries)
}

#[test]
fn no_panel_and_no_rule_asks_for_a_metric_a_label_or_an_event_that_there_is_not() -> Result<()> {
    let queries = queries()?;
    ensure!(queries.len() > 50, "there are {} queries", queries.len());
    for query in queries {
        tasker_runtime::check_query(&query)?;
    }
    for case in list(&yaml("prometheus/alerts_test.yml")?["tests"]) {
        for series in list(&case["input_series"]) {
            let series = series["series"].as_str().context("a series is a text")?;
            tasker_runtime::check_query(series)?;
        }
    }
    Ok(())
}
