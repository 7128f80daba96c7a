//! Versions of templates, and what a caller may ask for instead of one exact version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::shortened;

/// A text that is no version, or no request for one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid version {value:?}: {reason}")]
pub struct VersionError {
    /// The text, shortened to 40 characters.
    pub value: String,
    /// What is wrong with it, and what to write instead.
    pub reason: String,
}

/// The semantic version of a template, such as `1.2.3` or `2.0.0-rc.1`; `0.1.0` if none is given.
///
/// Versions are ordered by precedence as in <https://semver.org>, not as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// The longest text of a version, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The version `major.minor.patch`.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Whether this is a pre-release such as `2.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::new(0, 1, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.chars().count() > Self::MAX_CHARS {
            return Err(refused(text, format!("it is longer than {} characters", Self::MAX_CHARS)));
        }
        semver::Version::parse(text).map(Self).map_err(|error| refused(text, why_not_a_version(text, &error)))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Which version of a template is wanted.
///
/// Written as `1.2.3` (that one), `latest`, or a range such as `^2.1` or `>=1, <3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum VersionRequest {
    /// This version and no other.
    Exact(Version),
    /// The highest release; the highest pre-release only where no release exists.
    #[default]
    Latest,
    /// The highest version in this range. Pre-releases take part only where the range names one.
    Range(semver::VersionReq),
}

impl VersionRequest {
    /// The best of `candidates`, if any will do.
    pub fn resolve<'a>(&self, candidates: impl Iterator<Item = &'a Version>) -> Option<&'a Version> {
        match self {
            Self::Exact(wanted) => candidates.into_iter().find(|version| *version == wanted),
            Self::Latest => candidates.max_by_key(|version| (!version.is_prerelease(), *version)),
            Self::Range(range) => candidates.filter(|version| range.matches(&version.0)).max(),
        }
    }
}

impl From<Version> for VersionRequest {
    fn from(version: Version) -> Self {
        Self::Exact(version)
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Range(range) => range.fmt(f),
        }
    }
}

impl FromStr for VersionRequest {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let not_a_version = match text.parse() {
            Ok(version) => return Ok(Self::Exact(version)),
            Err(error) => error,
        };
        match semver::VersionReq::parse(text) {
            Ok(_) if is_partial_version(text) => Err(ambiguous(text)),
            Ok(range) if text.chars().count() <= Version::MAX_CHARS => Ok(Self::Range(range)),
            Ok(_) | Err(_) => Err(not_a_version),
        }
    }
}

impl Serialize for VersionRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn refused(text: &str, reason: String) -> VersionError {
    VersionError { value: shortened(text), reason }
}

fn ambiguous(text: &str) -> VersionError {
    let exact = completed(text);
    let reason = format!("it names no patch level; write ^{text} for the newest compatible one, or {exact}");
    refused(text, reason)
}

fn why_not_a_version(text: &str, error: &semver::Error) -> String {
    let bare = text.trim().trim_start_matches(['v', 'V']);
    let fixed = if is_partial_version(bare) { completed(bare) } else { bare.to_owned() };
    if semver::Version::parse(&fixed).is_ok() {
        format!("write {fixed}")
    } else {
        format!("{error}; write MAJOR.MINOR.PATCH, such as 1.2.0")
    }
}

/// Whether `text` is one or two numbers, such as `1` or `1.2`.
fn is_partial_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() < 3 && text.split('.').all(is_number)
}

fn completed(text: &str) -> String {
    let missing = 3usize.saturating_sub(text.split('.').count());
    format!("{text}{}", ".0".repeat(missing))
}

#[cfg(test)]
mod tests;
