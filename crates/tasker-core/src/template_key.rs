//! How a template is called by name: `namespace.name@version`, exact or as a request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{NameError, Namespace, TaskName};
use crate::version::{Version, VersionError, VersionRequest};

/// Identifies one immutable template. Displayed as `namespace.name@version`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateKey {
    /// The namespace.
    pub namespace: Namespace,
    /// The name within the namespace.
    pub name: TaskName,
    /// The exact version.
    pub version: Version,
}

impl fmt::Display for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}@{}", self.namespace, self.name, self.version)
    }
}

/// Asks for a template: `[namespace.]name[@version]`.
///
/// Without a namespace it is `default`; without a version the latest. The namespace ends at the first
/// dot, so a name that holds a dot itself is written with its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateRequest {
    /// The namespace.
    pub namespace: Namespace,
    /// The name within the namespace.
    pub name: TaskName,
    /// Which version is wanted.
    pub version: VersionRequest,
}

/// A text that asks for no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateRequestError {
    /// The namespace or the name is not valid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What follows the `@` is not valid.
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl FromStr for TemplateRequest {
    type Err = TemplateRequestError;

    fn from_str(text: &str) -> Result<Self, TemplateRequestError> {
        let (full_name, version) = match text.split_once('@') {
            Some((full_name, version)) => (full_name, version.parse()?),
            None => (text, VersionRequest::Latest),
        };
        let (namespace, name) = match full_name.split_once('.') {
            Some((namespace, name)) => (namespace.parse()?, name.parse()?),
            None => (Namespace::default(), full_name.parse()?),
        };
        Ok(Self { namespace, name, version })
    }
}

impl From<TemplateKey> for TemplateRequest {
    fn from(key: TemplateKey) -> Self {
        Self { namespace: key.namespace, name: key.name, version: VersionRequest::Exact(key.version) }
    }
}

impl fmt::Display for TemplateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}@{}", self.namespace, self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<TemplateRequest>() {
            Ok(request) => request.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_request_fills_in_the_namespace_and_the_latest_version() {
        assert_eq!(read("orders"), "default.orders@latest");
        assert_eq!(read("shop.orders"), "shop.orders@latest");
        assert_eq!(read("orders@1.2.3"), "default.orders@1.2.3");
        assert_eq!(read("shop.orders@>=1, <3"), "shop.orders@>=1, <3");
    }

    #[test]
    fn the_namespace_ends_at_the_first_dot() {
        assert_eq!(read("shop.orders.refund"), "shop.orders.refund@latest");
    }

    #[test]
    fn a_bad_request_names_the_part_that_is_wrong() {
        insta::assert_snapshot!(read("shop.@1.0.0"), @r#"invalid task name "": it is blank; give at least one visible character"#);
        insta::assert_snapshot!(read("shop.orders@1.0"), @r#"invalid version "1.0": it names no patch level; write ^1.0 for the newest compatible one, or 1.0.0"#);
    }

    #[test]
    fn the_full_name_of_a_key_reads_back_as_a_request_for_it() {
        let key = TemplateKey {
            namespace: Namespace::default(),
            name: TaskName::new("dummy_task").expect("valid"),
            version: Version::default(),
        };
        assert_eq!(key.to_string(), "default.dummy_task@0.1.0");
        assert_eq!(key.to_string().parse(), Ok(TemplateRequest::from(key)));
    }
}
