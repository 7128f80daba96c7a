//! Where a server is.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where a database is: what of its URL is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host, or the folder of the socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name of the database, where the URL has one.
    pub database: Option<String>,
}

impl Address {
    /// The address in a URL, if it is one.
    pub fn of(url: &str) -> Option<Self> {
        let options = PgConnectOptions::from_str(url).ok()?;
        let socket = options.get_socket().map(|folder| folder.display().to_string());
        Some(Self {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            database: options.get_database().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_neither_user_nor_password() {
        let address =
            Address::of("postgres://ann:hunter2@db.example:5433/shop?sslmode=disable").expect("an address");
        let expected =
            Address { host: "db.example".to_owned(), port: 5433, database: Some("shop".to_owned()) };
        assert_eq!(address, expected);
        assert_eq!(Address::of("postgres:///shop?host=/run/pg").expect("an address").host, "/run/pg");
        assert_eq!(Address::of("nothing at all"), None);
    }
}
