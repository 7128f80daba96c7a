//! A way to a server that can be closed and opened again.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A way to a server, on a port of its own.
pub(crate) struct Proxy {
    target: SocketAddr,
    address: SocketAddr,
    open: Option<Open>,
}

/// What there is while the way is open.
struct Open {
    is_closing: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// A way to `target`, closed.
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self { target, address: listener.local_addr().expect("bound"), open: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens the way.
    pub(crate) fn open(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the port is still free");
        let (is_closing, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (target, closing, passed) = (self.target, Arc::clone(&is_closing), Arc::clone(&streams));
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                let pair = [stream, TcpStream::connect(target).expect("the target listens")];
                let mut passed = passed.lock().expect("no panic");
                passed.extend(pair.iter().map(|stream| stream.try_clone().expect("cloned")));
                let [near, far] = pair;
                let (back_far, back_near) =
                    (far.try_clone().expect("cloned"), near.try_clone().expect("cloned"));
                std::thread::spawn(move || pass(near, far));
                std::thread::spawn(move || pass(back_far, back_near));
            }
        });
        self.open = Some(Open { is_closing, streams, listening });
    }

    /// Closes the way: what goes over it breaks, and nothing new gets through.
    pub(crate) fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.is_closing.store(true, Ordering::SeqCst);
        // The listener sees that it is to close when someone comes.
        let _ = TcpStream::connect(self.address);
        open.listening.join().expect("no panic");
        for stream in open.streams.lock().expect("no panic").iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // A way that is closed under way is what it is for.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}
