//! What processes use of the machine, as Linux tells it in `/proc`.

use std::fs;
use std::time::Duration;

/// Clock ticks per second of `/proc/PID/stat`: 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// The CPU time that this process has used, all threads, user and system.
pub(crate) fn own_cpu() -> Duration {
    fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_of(&stat)).unwrap_or_default()
}

/// The CPU time that all running processes with this name have used.
pub(crate) fn cpu_of_all(name: &str) -> Duration {
    let Ok(entries) = fs::read_dir("/proc") else { return Duration::ZERO };
    let stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter(|stat| stat.contains(&format!("({name})"))).filter_map(|stat| cpu_of(&stat)).sum()
}

/// The resident memory of a process, in bytes.
pub(crate) fn resident_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The CPU time of a process.
pub(crate) fn cpu_of_process(process: u32) -> Option<Duration> {
    cpu_of(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Fields 14 and 15 of proc(5)'s `stat`: time in user and in kernel mode.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}
