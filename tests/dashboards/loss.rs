//! Traffic of this network namespace: without loss, and with every kind of loss that a panel shows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::e2e::support::namespace::while_nothing_is_sent;
use crate::e2e::support::syns::Syns;
use crate::e2e::support::traffic::{listen, loopback, lose_one_in, lossy_transfer};

/// Traffic that goes on until this is dropped.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Traffic {
    /// Repeats `once`, in this thread's network namespace.
    fn repeated(mut once: impl FnMut() + Send + 'static) -> Traffic {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                once();
            }
        });
        Traffic { stop, thread: Some(thread) }
    }

    /// Small messages back and forth, without loss.
    pub fn without_loss() -> Traffic {
        let (listener, port) = listen(loopback(false));
        let mut client = TcpStream::connect((loopback(false), port)).expect("connect");
        let mut server = TcpStream::from(listener.accept().expect("accept").0);
        Traffic::repeated(move || {
            let mut message = [7; 512];
            client.write_all(&message).expect("write");
            server.read_exact(&mut message).expect("read");
            server.write_all(&message).expect("write");
            client.read_exact(&mut message).expect("read");
            // A bound on the load of the machine, no synchronisation.
            std::thread::sleep(Duration::from_millis(2));
        })
    }

    /// Transfers over both IP versions that lose every tenth packet.
    pub fn with_loss() -> Traffic {
        let mut ipv6 = false;
        Traffic::repeated(move || {
            ipv6 = !ipv6;
            lossy_transfer(loopback(ipv6), loopback(ipv6), 2 << 20);
        })
    }

    /// SYN-ACKs that are sent again, and data that the kernel fails to send again.
    pub fn of_handshakes_and_failures() -> Traffic {
        let syns = Syns::new();
        let (listener, port) = listen(loopback(false));
        Traffic::repeated(move || {
            syns.send();
            let mut client = TcpStream::connect((loopback(false), port)).expect("connect");
            let (accepted, _) = listener.accept().expect("accept");
            lose_one_in(&accepted, 1);
            client.write_all(&[7; 100]).expect("write");
            // The timer expires after some 200 ms.
            while_nothing_is_sent(|| std::thread::sleep(Duration::from_millis(300)));
            accepted.detach_filter().expect("SO_DETACH_FILTER");
            // Until it has arrived, and between two of these, the others have the link.
            let mut message = [0; 100];
            TcpStream::from(accepted).read_exact(&mut message).expect("read");
            std::thread::sleep(Duration::from_millis(500));
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
