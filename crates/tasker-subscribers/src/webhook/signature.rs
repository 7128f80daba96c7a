//! Signatures after the scheme of Standard Webhooks 1.0 (standardwebhooks.com): `v1,` and the Base64 of the HMAC-SHA256
//! of `id.timestamp.body`. With two secrets there are two signatures, with a blank between them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// A secret of fewer bytes can be guessed; the scheme asks for 24 to 64.
const SHORTEST: usize = 24;
/// What stands before a secret that is written in Base64.
const PREFIX: &str = "whsec_";

/// The bytes of a secret: what follows `whsec_` in Base64, or the text itself.
///
/// # Errors
///
/// What is wrong with it, without a word of it.
pub(crate) fn key_of(secret: &Secret) -> Result<Vec<u8>, String> {
    let key = match secret.reveal().strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
            format!("is not Base64 after \"{PREFIX}\"; write \"{PREFIX}\" and what `openssl rand -base64 32` prints")
        })?,
        None => secret.reveal().as_bytes().to_vec(),
    };
    if key.len() < SHORTEST {
        let bytes = key.len();
        return Err(format!(
            "has {bytes} bytes; write at least {SHORTEST}, such as \"{PREFIX}\" and what `openssl rand -base64 32` prints"
        ));
    }
    Ok(key)
}

/// The value of the header `webhook-signature`, of one signature for each key.
pub(super) fn signatures(keys: &[Vec<u8>], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let signed = keys.iter().map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("invariant: HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_scheme_is_signed_as_it_says() {
        let key = key_of(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).expect("a secret");
        let signed =
            signatures(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn short_and_broken_secrets_are_refused_without_a_word_of_them() {
        for text in ["hunter2", "whsec_hunter2!", "whsec_aHVudGVyMg=="] {
            let problem = key_of(&Secret::new(text)).expect_err("not usable");
            assert!(problem.contains("openssl rand") && !problem.contains("hunter2"), "{problem}");
        }
        assert_eq!(key_of(&Secret::new("x".repeat(24))), Ok(vec![b'x'; 24]));
    }
}
