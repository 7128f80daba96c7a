//! What a process takes of its machine, under the names that Prometheus has for it,
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
//!
//! Linux tells it in files, <https://man7.org/linux/man-pages/man5/proc.5.html>, whose texts come in by argument. What
//! is not in them is left out: a system that has no such files has no such metrics.

use crate::description::{Description, Kind, Merge, Unit};
use crate::labels::Labels;
use crate::snapshot::{FamilySnapshot, Snapshot, Value};

/// Linux counts the time of processes in hundredths of a second, on all machines of today.
const NANOS_PER_TICK: u64 = 10_000_000;
const TICKS_PER_SECOND: f64 = 100.0;

/// The texts of the files in which Linux tells of a process; those that cannot be read are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessFiles<'t> {
    /// `/proc/self/stat`.
    pub stat: &'t str,
    /// `/proc/self/status`.
    pub status: &'t str,
    /// `/proc/self/limits`.
    pub limits: &'t str,
    /// `/proc/stat`, of the machine.
    pub machine: &'t str,
    /// How many entries `/proc/self/fd` has.
    pub open_files: Option<u64>,
}

impl ProcessFiles<'_> {
    /// Adds what they tell, in place of what else has these names.
    pub fn tell(&self, snapshot: &mut Snapshot) {
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Memory that the process has in the machine's.",
                self.bytes("VmRSS:"),
                Merge::Sum,
            ),
            (
                "process_virtual_memory_bytes",
                "Addresses that the process has.",
                self.bytes("VmSize:"),
                Merge::Sum,
            ),
            (
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
                self.started(),
                Merge::Min,
            ),
            (
                "process_open_fds",
                "Files and sockets that the process has open.",
                self.open_files.map(level),
                Merge::Sum,
            ),
            ("process_max_fds", "How many it may have open.", self.most_files(), Merge::Sum),
        ];
        for (name, help, value, merge) in gauges {
            if let Some(value) = value {
                put(snapshot, (name, help), Kind::Gauge(merge), Value::Level(value));
            }
        }
        if let Some(nanos) = self.worked() {
            let described = ("process_cpu_seconds_total", "Time that the process has had the processors.");
            put(snapshot, described, Kind::Counter, Value::Count(nanos));
        }
    }

    fn bytes(&self, label: &str) -> Option<f64> {
        let line = self.status.lines().find_map(|line| line.strip_prefix(label))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(level(kibibytes) * 1024.0)
    }

    /// A field of `stat` by the number that its manual gives it. The second, a name in parentheses, may hold anything,
    /// and what follows its last parenthesis begins with the third.
    fn field(&self, number: usize) -> Option<u64> {
        let (_, fields) = self.stat.rsplit_once(')')?;
        fields.split_whitespace().nth(number - 3)?.parse().ok()
    }

    fn worked(&self) -> Option<u64> {
        let (user, system) = (self.field(14)?, self.field(15)?);
        user.checked_add(system)?.checked_mul(NANOS_PER_TICK)
    }

    fn started(&self) -> Option<f64> {
        let booted = self.machine.lines().find_map(|line| line.strip_prefix("btime "))?;
        let booted: u64 = booted.trim().parse().ok()?;
        Some(level(booted) + level(self.field(22)?) / TICKS_PER_SECOND)
    }

    fn most_files(&self) -> Option<f64> {
        let line = self.limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        let soft: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(level(soft))
    }
}

fn put(snapshot: &mut Snapshot, (name, help): (&str, &str), kind: Kind, value: Value) {
    let unit = Unit::told_by(kind.family_name(name)).unwrap_or_default();
    let description = Description::new(name, help).unit(unit);
    let series = vec![(Labels::new(&[]), value)];
    snapshot.families.insert(name.to_owned(), FamilySnapshot { description, kind, series });
}

#[expect(clippy::cast_precision_loss, reason = "nothing of a machine is counted beyond 2⁵²")]
fn level(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Format, encode};

    const STAT: &str =
        "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 900 0 0 0 1234 66 0 0 20 0 9 0 5050 300 40 18446744";
    const STATUS: &str = "Name:\ta (b) c\nVmSize:\t  204800 kB\nVmRSS:\t   10240 kB\nThreads:\t9\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units\n\
                          Max open files            1024                 524288               files\n";
    const MACHINE: &str = "cpu  1 2 3\nbtime 1700000000\nprocesses 5\n";

    fn told(files: ProcessFiles<'_>) -> String {
        let mut snapshot = Snapshot::default();
        files.tell(&mut snapshot);
        let text = encode(&snapshot, Format::Prometheus);
        text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn all_that_linux_tells_is_told() {
        let files = ProcessFiles {
            stat: STAT,
            status: STATUS,
            limits: LIMITS,
            machine: MACHINE,
            open_files: Some(7),
        };
        let wanted = "process_cpu_seconds_total 13\nprocess_max_fds 1024\nprocess_open_fds 7\n\
                      process_resident_memory_bytes 10485760\nprocess_start_time_seconds 1700000050.5\n\
                      process_virtual_memory_bytes 209715200\n";
        assert_eq!(told(files), wanted);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(told(ProcessFiles::default()), "");
        let unlimited = "Max open files            unlimited            unlimited            files\n";
        let files = ProcessFiles {
            stat: "1 (x) S 1",
            status: "VmRSS: lots",
            limits: unlimited,
            ..Default::default()
        };
        assert_eq!(told(files), "");
        assert_eq!(
            told(ProcessFiles { stat: STAT, ..ProcessFiles::default() }),
            "process_cpu_seconds_total 13\n"
        );
    }
}
