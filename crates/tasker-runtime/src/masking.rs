//! Secrets in texts that are about to be shown.
//!
//! A URL that is typed wrong is shown in the complaint about it, so this goes by what looks like a secret and not by what
//! is a valid URL. In doubt it masks too much.

/// Takes the place of what is secret.
pub(crate) const MASK: &str = "********";

/// What the name of a secret has in it.
const SECRETS: [&str; 7] = ["pass", "pwd", "secret", "token", "credential", "api_key", "apikey"];

/// A text that may hold the URL of a database, without its secrets: the password between the user and the host, with or
/// without a scheme, and the values of parameters such as `?password=…`. Other texts stay as they are.
pub fn without_secrets(text: &str) -> String {
    if text.starts_with("sqlite:") {
        // A path may have colons and at-signs of its own.
        let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        return format!("{path}{}", without_secret_parameters(query));
    }
    let (scheme, rest) = text.split_at(text.find("://").map_or(0, |at| at + "://".len()));
    format!("{scheme}{}", without_secret_parameters(&without_password(rest)))
}

/// Whether a name is that of a secret. Escapes such as `%73` are undone first: a database undoes them, too.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = unescaped(name).to_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

/// `user:password@host…` without the password.
fn without_password(rest: &str) -> String {
    let masked = end_of_password(rest).and_then(|at| {
        let (user, _) = rest[..at].split_once(':')?;
        Some(format!("{user}:{MASK}{}", &rest[at..]))
    });
    masked.unwrap_or_else(|| rest.to_owned())
}

/// Where the `@` before the host is. A password may hold any character unescaped, so that it is the last one before what
/// looks like parameters; if there is none and no host stands there either, the last one of all.
fn end_of_password(rest: &str) -> Option<usize> {
    let is_query = |query: &str| query.split('&').all(|parameter| parameter.contains('='));
    let Some((head, _)) = rest.split_once('?').filter(|(_, query)| is_query(query)) else {
        return rest.rfind('@');
    };
    head.rfind('@').or_else(|| rest.rfind('@').filter(|_| !is_address(head)))
}

/// Whether a text begins with a host, which may have a port.
fn is_address(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    address.rsplit_once(':').is_none_or(|(_, port)| is_port(port))
}

/// Masks the values of secret parameters: in a URL after `?` and `&`, in words such as `host=h password=x` after blanks.
fn without_secret_parameters(text: &str) -> String {
    let mut shown = String::new();
    let mut is_in_secret = false;
    for piece in text.split_inclusive(|c: char| "?&;".contains(c) || c.is_whitespace()) {
        let (parameter, end) = piece.split_at(piece.trim_end_matches(['?', '&', ';', ' ']).len());
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => {
                is_in_secret = true;
                shown.extend([name, "=", MASK, end]);
            }
            // The secret itself may hold what parts parameters.
            None if is_in_secret => {}
            _ => {
                is_in_secret = false;
                shown += piece;
            }
        }
    }
    shown
}

/// A text whose escapes of ASCII characters are undone.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&piece[2..]);
            }
            None => plain.extend(["%", piece]),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_wherever_a_url_has_them() {
        let urls = [
            "postgres://u:hunter2@h:5432/d?sslmode=require",
            "postgres://u:hunter2@ss/w@h/d",
            "postgresql://h/d?user=u&password=hunter2&x=a@b",
            "postgresql://h:5432/d?Password=hunter2",
            "postgresql://h/d?p%61ssword=hunter2",
            "postgres://u:hunter2?x@h/d",
            "postgres://u:hunter2?x=1@h/d",
            "postgres://u:hunter2#x@h/d",
            "postgres://:hunter2@h/d",
            "u:hunter2@h/d",
            "mysql:u:hunter2@h",
            "h/d?password=hunter2",
            "host=h password='hunter2 hunter2' user=u",
            "postgres://u:hunter2@h/d?sslpassword=hunter2&hunter2&user=u",
            "sqlite:a.db?passwd=hunter2",
        ];
        insta::assert_snapshot!(urls.map(without_secrets).join("\n"), @r"
        postgres://u:********@h:5432/d?sslmode=require
        postgres://u:********@h/d
        postgresql://h/d?user=u&password=********&x=a@b
        postgresql://h:5432/d?Password=********
        postgresql://h/d?p%61ssword=********
        postgres://u:********@h/d
        postgres://u:********@h/d
        postgres://u:********@h/d
        postgres://:********@h/d
        u:********@h/d
        mysql:********@h
        h/d?password=********
        host=h password=******** user=u
        postgres://u:********@h/d?sslpassword=********&user=u
        sqlite:a.db?passwd=********
        ");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "postgres://u@h/d",
            "postgres://h:5432/d?application_name=a@b",
            "postgres://[::1]:5432/d",
            "sqlite:/srv/me:you@there/a b's.db",
            ".tasker/tasker.db",
            "memory:",
            "127.0.0.1:8484",
            "info,tasker_engine=debug",
            "",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
