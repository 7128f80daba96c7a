//! What deny.toml says, and which packages break it.

use serde::Deserialize;

use super::resolved::{Package, Resolved};
use super::spdx;

/// The public registry, as cargo names it in every lock file.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The parts of deny.toml that are checked here. cargo-deny reads the rest.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A crate that only its wrappers may import, or nobody.
#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

impl Policy {
    /// One line for each package that breaks the policy.
    pub(super) fn check(&self, resolved: &Resolved) -> Vec<String> {
        let foreign = || resolved.packages().iter().filter(|package| !package.is_ours());
        let licences = foreign().filter_map(|package| self.wrong_licence(package));
        let sources = foreign().filter_map(wrong_source);
        let bans = resolved.packages().iter().flat_map(|package| self.wrong_imports(package));
        licences.chain(sources).chain(bans).collect()
    }

    fn wrong_licence(&self, package: &Package) -> Option<String> {
        let licence = package.license.as_deref().unwrap_or("");
        if spdx::is_met(licence, &self.licenses.allow) {
            return None;
        }
        Some(format!(
            "deny.toml: {} {} is under `{licence}`, which is not allowed; use another crate, or allow the licence if \
             its terms suit an MIT product",
            package.name, package.version
        ))
    }

    fn wrong_imports<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = String> + 'a {
        self.bans
            .deny
            .iter()
            .filter(|ban| package.imports.contains(&ban.name) && !ban.wrappers.contains(&package.name))
            .map(|ban| {
                format!(
                    "deny.toml: {} imports {}, which only {} may: {}; go through them, or add it to `wrappers`",
                    package.name,
                    ban.name,
                    if ban.wrappers.is_empty() { "nobody".to_owned() } else { ban.wrappers.join(", ") },
                    ban.reason
                )
            })
    }
}

fn wrong_source(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    (source != CRATES_IO).then(|| {
        format!(
            "deny.toml: {} {} comes from {source}; take a version from crates.io",
            package.name, package.version
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "sqlx", wrappers = ["postgres"], reason = "it has one owner" }]
        [sources]
        unknown-git = "deny"
    "#;

    /// Package `postgres` imports sqlx; `engine` imports `import`, once for the product or once for its tests.
    fn findings(import: &str, kind: &str, licence: &str, source: &str) -> Vec<String> {
        let json = format!(
            r#"{{"workspace_members": ["p", "e"], "packages": [
                {{"id": "p", "name": "postgres", "version": "0.1.0", "source": null, "license": null}},
                {{"id": "e", "name": "engine", "version": "0.1.0", "source": null, "license": null}},
                {{"id": "s", "name": "sqlx", "version": "9.9.9", "source": "{CRATES_IO}", "license": "MIT"}},
                {{"id": "x", "name": "other", "version": "9.9.9", "source": "{source}", "license": {licence}}}],
              "resolve": {{"nodes": [
                {{"id": "p", "deps": [{{"pkg": "s", "dep_kinds": [{{"kind": null}}]}}]}},
                {{"id": "e", "deps": [{{"pkg": "{import}", "dep_kinds": [{{"kind": {kind}}}]}}]}},
                {{"id": "s", "deps": []}}, {{"id": "x", "deps": []}}]}}}}"#
        );
        let policy: Policy = toml::from_str(DENY).expect("a policy");
        policy.check(&Resolved::read(&json).expect("metadata"))
    }

    #[test]
    fn allowed_packages_pass() {
        assert_eq!(findings("x", "null", "\"MIT\"", CRATES_IO), Vec::<String>::new());
    }

    #[test]
    fn a_foreign_licence_or_none_is_refused() {
        let [finding] = findings("x", "null", "\"GPL-3.0\"", CRATES_IO).try_into().expect("one finding");
        assert!(
            finding.contains("other 9.9.9 is under `GPL-3.0`, which is not allowed; use another"),
            "{finding}"
        );
        assert_eq!(findings("x", "null", "null", CRATES_IO).len(), 1);
    }

    #[test]
    fn only_wrappers_import_a_banned_crate() {
        let [finding] = findings("s", "null", "\"MIT\"", CRATES_IO).try_into().expect("one finding");
        assert!(
            finding.contains("engine imports sqlx, which only postgres may: it has one owner"),
            "{finding}"
        );
        assert_eq!(findings("s", "\"build\"", "\"MIT\"", CRATES_IO).len(), 1);
    }

    #[test]
    fn what_only_tests_need_is_free() {
        assert_eq!(findings("s", "\"dev\"", "\"MIT\"", CRATES_IO), Vec::<String>::new());
        assert_eq!(
            findings("x", "\"dev\"", "\"GPL-3.0\"", "git+https://example.org/x"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn another_source_than_the_public_registry_is_refused() {
        let findings = findings("x", "null", "\"MIT\"", "git+https://example.org/x");
        assert!(
            findings[0].contains("other 9.9.9 comes from git+https://example.org/x; take"),
            "{findings:?}"
        );
    }
}
