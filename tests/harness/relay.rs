//! A relay between the program and a server that holds one request back for ever, so that a test can stop the program at a
//! known point without any sleep: whatever comes before that request has been done, and nothing behind it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A relay that is listening. Its threads end with their connections; the listener ends with the process.
pub(crate) struct Relay {
    address: SocketAddr,
    held: Receiver<()>,
    gate: Arc<Gate>,
}

/// Whether requests are still held.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

impl Relay {
    /// Relays to the server at `url`, and holds every request whose text contains `part`.
    pub(crate) fn start(url: &str, part: &str) -> Self {
        let server: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (holding, held) = channel();
        let gate = Arc::new(Gate::default());
        let shared = Arc::clone(&gate);
        let part = part.as_bytes().to_vec();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (part, holding, gate) = (part.clone(), holding.clone(), Arc::clone(&shared));
                thread::spawn(move || relay(&client, server, &part, &(holding, gate)));
            }
        });
        Self { address, held, gate }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets what is held and what comes later pass.
    pub(crate) fn let_go(&self) {
        self.gate.open();
    }

    /// Comes back when a request is being held.
    pub(crate) fn wait_until_held(&self) {
        self.held.recv_timeout(Duration::from_mins(1)).expect("the request never came");
    }
}

fn relay(
    mut client: &TcpStream,
    server: SocketAddr,
    part: &[u8],
    (holding, gate): &(Sender<()>, Arc<Gate>),
) -> Option<()> {
    let mut server = TcpStream::connect(server).ok()?;
    let (mut answers, mut back) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || {
        // Either side may go away at any time; the relay goes with it.
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = client.read(&mut buffer).ok().filter(|length| *length > 0);
        let Some(length) = length else {
            return server.shutdown(Shutdown::Both).ok();
        };
        let request = &buffer[..length];
        if request.windows(part.len()).any(|window| window == part) {
            // The test may have stopped listening.
            let _ = holding.send(());
            gate.wait();
        }
        server.write_all(request).ok()?;
    }
}
