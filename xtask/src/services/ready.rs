//! Free ports, and knowing when a server on one is ready.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use super::recipe::Greeting;

/// How long one attempt to greet may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// A port of 127.0.0.1 that was free a moment ago.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot find a free port")?.port())
}

/// Whether the server on this port answers the greeting as one that is ready. An open port alone says nothing: a
/// starting PostgreSQL and the proxy of a container take connections as well.
pub(super) fn is_ready(port: u16, greeting: &Greeting) -> bool {
    greet(port, greeting).is_ok_and(|answer| answer == greeting.welcome)
}

fn greet(port: u16, greeting: &Greeting) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(greeting.hello)?;
    let mut answer = vec![0; greeting.welcome.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Greeting = Greeting { hello: b"PING", welcome: b"PONG" };

    /// A server that answers one connection with `answer`.
    fn server(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut hello = [0; 4];
            stream.read_exact(&mut hello).expect("a greeting");
            stream.write_all(answer).expect("an answer");
        });
        port
    }

    #[test]
    fn a_server_is_ready_when_it_answers_as_expected() {
        assert!(is_ready(server(b"PONG and more"), &PING));
    }

    #[test]
    fn an_open_port_with_another_answer_or_none_is_not_ready() {
        assert!(!is_ready(server(b"NOPE"), &PING));
        assert!(!is_ready(server(b""), &PING));
    }

    #[test]
    fn a_closed_port_is_not_ready() {
        assert!(!is_ready(free_port().expect("a free port"), &PING));
    }
}
