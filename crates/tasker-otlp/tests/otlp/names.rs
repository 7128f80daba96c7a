//! What the semantic conventions have a name for is called that.

use opentelemetry_semantic_conventions::attribute as conventional;
use tasker_trace::attributes;

#[test]
fn names_of_the_semantic_conventions_are_spelt_as_there() {
    let names = [
        (attributes::ERROR_TYPE, conventional::ERROR_TYPE),
        (attributes::MESSAGING_SYSTEM, conventional::MESSAGING_SYSTEM),
        (attributes::MESSAGING_DESTINATION_NAME, conventional::MESSAGING_DESTINATION_NAME),
        (attributes::MESSAGING_OPERATION_TYPE, conventional::MESSAGING_OPERATION_TYPE),
        (attributes::MESSAGING_OPERATION_NAME, conventional::MESSAGING_OPERATION_NAME),
        (attributes::MESSAGING_MESSAGE_ID, conventional::MESSAGING_MESSAGE_ID),
    ];
    for (ours, theirs) in names {
        assert_eq!(ours, theirs);
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/general/naming/>
#[test]
fn no_name_is_the_beginning_of_another() {
    for (name, _) in attributes::ALL {
        let within = format!("{name}.");
        assert!(!attributes::ALL.iter().any(|(other, _)| other.starts_with(&within)), "{name}");
    }
}

#[tokio::test]
async fn every_other_name_is_listed_and_our_own() {
    let spans = crate::arriving::trace().await;
    let names = spans.iter().flat_map(|span| span.attributes.iter().map(|(name, _)| *name));
    for name in names {
        assert!(attributes::ALL.iter().any(|(listed, _)| *listed == name), "{name}");
        assert!(name.starts_with("tasker.") || name.starts_with("messaging."), "{name}");
    }
}
