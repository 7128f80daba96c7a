use super::*;

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

fn resolve(request: &str, candidates: &[&str]) -> Option<String> {
    let versions: Vec<Version> = candidates.iter().map(|text| version(text)).collect();
    let request: VersionRequest = request.parse().expect("a request");
    request.resolve(versions.iter()).map(Version::to_string)
}

#[test]
fn a_full_version_is_accepted_with_pre_release_and_build() {
    for text in ["1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3+build.5", "1.2.3-rc.1+x"] {
        assert_eq!(version(text).to_string(), text);
    }
}

#[test]
fn an_incomplete_version_is_refused_with_what_to_write() {
    let error = |text: &str| text.parse::<Version>().expect_err("refused").to_string();
    insta::assert_snapshot!(error("1.2"), @r#"invalid version "1.2": write 1.2.0"#);
    insta::assert_snapshot!(error("v1.2.3"), @r#"invalid version "v1.2.3": write 1.2.3"#);
    insta::assert_snapshot!(error("v2"), @r#"invalid version "v2": write 2.0.0"#);
    insta::assert_snapshot!(error(""), @r#"invalid version "": empty string, expected a semver version; write MAJOR.MINOR.PATCH, such as 1.2.0"#);
    insta::assert_snapshot!(error("1.02.3"), @r#"invalid version "1.02.3": invalid leading zero in minor version number; write MAJOR.MINOR.PATCH, such as 1.2.0"#);
}

#[test]
fn a_version_of_more_than_64_characters_is_refused() {
    let longest = format!("1.0.0-{}", "a".repeat(58));
    assert_eq!(longest.len(), 64);
    assert!(longest.parse::<Version>().is_ok());
    assert!(format!("{longest}a").parse::<Version>().is_err());
}

#[test]
fn versions_are_ordered_as_numbers() {
    assert!(version("9.0.0") < version("10.0.0"));
    assert!(version("1.0.0-rc.2") < version("1.0.0-rc.10"));
    assert!(version("1.0.0-rc.10") < version("1.0.0"));
}

#[test]
fn latest_prefers_releases() {
    assert_eq!(resolve("latest", &["9.0.0", "10.0.0", "11.0.0-rc.1"]).as_deref(), Some("10.0.0"));
    assert_eq!(resolve("latest", &["1.0.0-a", "1.0.0-b"]).as_deref(), Some("1.0.0-b"));
    assert_eq!(resolve("latest", &[]), None);
}

#[test]
fn a_range_takes_its_highest_member() {
    let all = ["1.0.0", "2.0.0", "2.1.0", "2.9.1", "3.0.0", "2.10.0-rc.1"];
    assert_eq!(resolve("^2.1", &all).as_deref(), Some("2.9.1"));
    assert_eq!(resolve(">=1, <3", &all).as_deref(), Some("2.9.1"));
    assert_eq!(resolve("1.*", &all).as_deref(), Some("1.0.0"));
    assert_eq!(resolve("~4", &all), None);
}

#[test]
fn an_exact_request_takes_only_that_version() {
    assert_eq!(resolve("2.0.0", &["1.0.0", "2.0.0", "2.0.1"]).as_deref(), Some("2.0.0"));
    assert_eq!(resolve("2.0.2", &["2.0.0", "2.0.1"]), None);
}

#[test]
fn a_request_that_could_mean_two_things_is_refused() {
    assert!("1.2".parse::<VersionRequest>().is_err());
    assert!("1".parse::<VersionRequest>().is_err());
    assert!("newest".parse::<VersionRequest>().is_err());
}

#[test]
fn a_version_without_patch_level_is_the_default_0_1_0_only_when_absent() {
    assert_eq!(Version::default().to_string(), "0.1.0");
}
