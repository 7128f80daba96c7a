//! As much of HTTP/1.1 as the shop needs: one request per connection, bodies with a length.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A request as the shop sees it.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) idempotency_key: String,
    pub(crate) body: Value,
}

/// What the shop answers.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) retry_after_seconds: Option<u32>,
    pub(crate) body: Value,
}

/// Reads one request, answers it, prints a line about it and closes the connection.
pub(crate) fn serve(mut stream: TcpStream, answer: impl Fn(&Request) -> Response) -> io::Result<()> {
    let request = read(&mut BufReader::new(stream.try_clone()?))?;
    let response = answer(&request);
    // Nobody may be reading what the shop prints; it serves all the same.
    let _ = writeln!(io::stdout(), "{} {} -> {}", request.method, request.path, response.status);
    let body = response.body.to_string();
    write!(stream, "HTTP/1.1 {} {}\r\n", response.status, reason(response.status))?;
    if let Some(seconds) = response.retry_after_seconds {
        write!(stream, "Retry-After: {seconds}\r\n")?;
    }
    write!(
        stream,
        "Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn read(stream: &mut impl BufRead) -> io::Result<Request> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut idempotency_key) = (0, String::new());
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "idempotency-key" => value.trim().clone_into(&mut idempotency_key),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Request { method, path, idempotency_key, body })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        503 => "Service Unavailable",
        _ => "Not Found",
    }
}
