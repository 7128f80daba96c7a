//! Programs that tests start themselves, with configurations of their own: found or unpacked here, never started.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, origin, say, unpack};
use crate::shell;

/// A program or a Python module that tests use.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// The environment variable that carries its path.
    pub(super) variable: &'static str,
    /// The package of Debian.
    pub(super) package: &'static str,
    pub(super) form: Form,
}

/// What a tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A program, whose path is wanted.
    Program,
    /// A Python module, whose folder is wanted: that which PYTHONPATH has to name.
    PythonModule,
}

/// Prometheus, its checker, and Python's parsers of what it reads.
const PROMETHEUS: [Tool; 3] = [
    Tool {
        name: "prometheus",
        variable: "TASKER_TEST_PROMETHEUS",
        package: "prometheus",
        form: Form::Program,
    },
    Tool { name: "promtool", variable: "TASKER_TEST_PROMTOOL", package: "prometheus", form: Form::Program },
    Tool {
        name: "prometheus_client",
        variable: "TASKER_TEST_PROMETHEUS_CLIENT",
        package: "python3-prometheus-client",
        form: Form::PythonModule,
    },
];

impl Kind {
    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Postgres | Self::Redis | Self::Memcached => &[],
            Self::Prometheus => &PROMETHEUS,
        }
    }
}

/// The environment that leads a test to the tools. One that is missing is unpacked if that is possible, else told in
/// a line.
pub(super) fn find_all(kinds: &[Kind]) -> Vec<(&'static str, String)> {
    let tools: Vec<&Tool> = kinds.iter().flat_map(|kind| kind.tools()).collect();
    let mut packages: Vec<_> =
        tools.iter().filter(|tool| tool.find().is_none()).map(|tool| tool.package).collect();
    packages.dedup();
    for package in packages.into_iter().filter(|_| unpack::is_possible()) {
        if let Err(error) = unpack::unpack(package) {
            say(&format!("{error:#}"));
        }
    }
    let mut variables = Vec::new();
    for tool in tools {
        match tool.find() {
            Some(path) => variables.push((tool.variable, path.display().to_string())),
            None => say(&tool.how_to_get()),
        }
    }
    variables
}

impl Tool {
    fn find(&self) -> Option<PathBuf> {
        let given = origin::given(self.variable).map(PathBuf::from);
        given.or_else(|| self.installed()).or_else(|| self.unpacked())
    }

    fn installed(&self) -> Option<PathBuf> {
        match self.form {
            Form::Program => origin::named(self.name),
            Form::PythonModule => {
                let script = format!("import {0}; print({0}.__path__[0])", self.name);
                let path = shell::output(Command::new("python3").args(["-c", &script])).ok()?;
                Some(Path::new(path.trim()).parent()?.to_owned())
            }
        }
    }

    fn unpacked(&self) -> Option<PathBuf> {
        self.within(&unpack::folder(self.package)?)
    }

    /// Where it stands in the folder of its package.
    fn within(&self, folder: &Path) -> Option<PathBuf> {
        match self.form {
            Form::Program => Some(folder.join("usr/bin").join(self.name)).filter(|program| program.exists()),
            Form::PythonModule => {
                let modules = folder.join("usr/lib/python3/dist-packages");
                modules.join(self.name).exists().then_some(modules)
            }
        }
    }

    fn how_to_get(&self) -> String {
        let Self { name, variable, package, form } = self;
        let what = match form {
            Form::Program => "its path",
            Form::PythonModule => "the folder that holds it",
        };
        format!(
            "{name} is missing, and tests that use it fail: install {package}, or set {variable} to {what}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_in_one_line_with_a_way_to_get_it() {
        let lines = PROMETHEUS.each_ref().map(Tool::how_to_get);
        assert_eq!(
            lines[1..],
            [
                "promtool is missing, and tests that use it fail: install prometheus, or set TASKER_TEST_PROMTOOL to \
                 its path",
                "prometheus_client is missing, and tests that use it fail: install python3-prometheus-client, or set \
                 TASKER_TEST_PROMETHEUS_CLIENT to the folder that holds it",
            ]
        );
    }

    #[test]
    fn a_tool_stands_where_debian_puts_it_in_its_package() {
        let [prometheus, _, client] = &PROMETHEUS;
        let package = tempfile::tempdir().expect("a folder");
        assert_eq!((prometheus.within(package.path()), client.within(package.path())), (None, None));
        let (programs, modules) = ("usr/bin/prometheus", "usr/lib/python3/dist-packages");
        for file in [programs.to_owned(), format!("{modules}/prometheus_client/__init__.py")] {
            let path = package.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        assert_eq!(prometheus.within(package.path()), Some(package.path().join(programs)));
        assert_eq!(client.within(package.path()), Some(package.path().join(modules)));
    }

    #[test]
    fn the_servers_have_no_tools_and_nothing_is_looked_for() {
        assert_eq!(find_all(&[Kind::Postgres, Kind::Redis, Kind::Memcached]), []);
    }
}
