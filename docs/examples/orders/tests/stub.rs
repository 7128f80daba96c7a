//! The shop behaves as the example says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Shop {
    process: Child,
    address: String,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.process.kill().expect("it runs until the test ends");
        self.process.wait().expect("it was killed");
    }
}

fn open_shop() -> Shop {
    let mut process = Command::new(env!("CARGO_BIN_EXE_shop-stub"))
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the stub starts");
    let mut line = String::new();
    let stdout = process.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
    let address = line.trim().rsplit_once("//").expect("an address").1.to_owned();
    Shop { process, address }
}

fn request(shop: &Shop, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&shop.address).expect("it listens");
    write!(stream, "{head} HTTP/1.1\r\nContent-Length: {}\r\nIdempotency-Key: k\r\n\r\n{body}", body.len())
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_charge_is_refused_twice_and_then_made_once() {
    let shop = open_shop();
    let charge = || request(&shop, "POST /charges", r#"{"cart":"42","amount_cents":3300}"#);
    for _ in 0..2 {
        let refused = charge();
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("Retry-After: 1"), "{refused}");
    }
    let made = charge();
    assert!(made.starts_with("HTTP/1.1 201") && made.contains(r#""repeated":false"#), "{made}");
    assert!(charge().contains(r#""repeated":true"#));
}

#[test]
fn a_cart_has_lines_and_other_paths_do_not_exist() {
    let shop = open_shop();
    assert!(request(&shop, "GET /carts/7", "").contains("TEA-500"));
    assert!(request(&shop, "GET /nothing", "").starts_with("HTTP/1.1 404"));
}
