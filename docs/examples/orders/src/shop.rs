//! The shop: carts, stock and payments, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Request, Response};

/// How often the payment service is unwell for each cart.
const OUTAGES: u32 = 2;

/// What the shop remembers.
#[derive(Default)]
pub(crate) struct Shop(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// Charges refused so far, by cart.
    refused: BTreeMap<String, u32>,
    /// Keys of the charges that were made: a repeated one is answered, not made again.
    charged: BTreeSet<String>,
}

impl Shop {
    /// Answers one request.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts: Vec<_> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["carts", cart]) => cart_of(cart),
            ("POST", ["reservations"]) => {
                created(json!({ "reservation": "R-1", "lines": request.body["lines"] }))
            }
            ("POST", ["charges"]) => books.charge(request),
            ("POST", ["shipments"]) => created(json!({ "shipment": "S-1", "carrier": "Pigeon Post" })),
            _ => {
                Response { status: 404, retry_after_seconds: None, body: json!({ "error": "no such thing" }) }
            }
        }
    }
}

impl Books {
    fn charge(&mut self, request: &Request) -> Response {
        let cart = request.body["cart"].to_string();
        let refused = self.refused.entry(cart).or_default();
        if *refused < OUTAGES {
            *refused += 1;
            let body = json!({ "error": "the payment service is unwell" });
            return Response { status: 503, retry_after_seconds: Some(1), body };
        }
        let first_time = self.charged.insert(request.idempotency_key.clone());
        created(
            json!({ "charge": "C-1", "amount_cents": request.body["amount_cents"], "repeated": !first_time }),
        )
    }
}

fn cart_of(cart: &str) -> Response {
    let lines = json!([
        { "sku": "TEA-500", "count": 2, "price_cents": 950 },
        { "sku": "CUP-BLUE", "count": 1, "price_cents": 1400 },
    ]);
    Response { status: 200, retry_after_seconds: None, body: json!({ "cart": cart, "lines": lines }) }
}

fn created(body: Value) -> Response {
    Response { status: 201, retry_after_seconds: None, body }
}
