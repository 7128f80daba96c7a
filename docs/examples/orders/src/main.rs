//! A shop that an order flow can talk to: it serves carts, reserves stock and charges cards over HTTP.
//!
//! Its payment service is unwell: it answers the first two charges of every cart with `503` and
//! `Retry-After: 1`. Run `shop-stub [ADDRESS]`; it prints the address it listens on and a line per request.

mod http;
mod shop;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use shop::Shop;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8600".to_owned());
    let listener = TcpListener::bind(&address)?;
    println!("the shop listens on http://{}", listener.local_addr()?);
    let shop = Arc::new(Shop::default());
    for stream in listener.incoming() {
        let stream = stream?;
        let shop = Arc::clone(&shop);
        thread::spawn(move || {
            // A client that hangs up in the middle of a request is its own business.
            let _ = http::serve(stream, |request| shop.answer(request));
        });
    }
    Ok(())
}
