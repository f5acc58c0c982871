//! The other ends of the agent's connections, in processes of their own, so that their CPU time is not the agent's: this
//! program, started again with a role.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::sink::{Received, Totals, serve};

/// The first argument of a process that has a role. The role and its numbers follow.
const ROLE: &str = "role";

/// Plays the role that the arguments name. False if they name none: this is the bench itself.
pub fn play() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, role, numbers @ ..] = arguments.as_slice() else { return false };
    if first != ROLE {
        return false;
    }
    let numbers: Vec<u64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
    match (role.as_str(), numbers.as_slice()) {
        ("sink", [hold_ms]) => sink(Duration::from_millis(*hold_ms)),
        ("drain", []) => drain(),
        ("writer", [port, bytes, at_once]) => write(*port as u16, *bytes, *at_once as usize),
        _ => panic!("no such role: {arguments:?}"),
    }
    true
}

/// Serves until stdin closes, which it also does when the bench is killed.
fn sink(hold: Duration) {
    let totals = Totals::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        println!("{}", listener.local_addr().expect("an address").port());
        let (closed, closes) = oneshot::channel();
        thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = closed.send(()); // the other end waits for it, or the process ends
        });
        tokio::select! {
            result = serve(listener, hold, Rc::clone(&totals)) => result.expect("accepting"),
            _ = closes => {}
        }
    });
    println!("{}", serde_json::to_string(&*totals.borrow()).expect("JSON"));
}

/// Reads one connection to its end.
fn drain() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    let (mut stream, _) = listener.accept().expect("a connection");
    let mut buffer = vec![0; 1 << 16];
    while stream.read(&mut buffer).expect("reading") > 0 {}
}

/// Writes so many bytes to a port, some of them at once.
fn write(port: u16, bytes: u64, at_once: usize) {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("connecting");
    let buffer = vec![7; at_once];
    let mut left = bytes;
    while left > 0 {
        let now = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(&buffer[..now]).expect("writing");
        left -= now as u64;
    }
}

/// This program with a role, not yet started.
pub fn command(role: &str, numbers: &[u64]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([ROLE, role]).args(numbers.iter().map(u64::to_string));
    command
}

/// A running process that listens.
pub struct Helper {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub port: u16,
}

impl Helper {
    /// A sink that holds each answer back for `hold`.
    pub fn sink(hold: Duration) -> Helper {
        Helper::start("sink", &[hold.as_millis() as u64])
    }

    /// Reads one connection and does nothing with it.
    pub fn drain() -> Helper {
        Helper::start("drain", &[])
    }

    fn start(role: &str, numbers: &[u64]) -> Helper {
        let mut command = command(role, numbers);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let port = lines.next().expect("a line").expect("reading").parse().expect("a port");
        Helper { child, lines, port }
    }

    /// Ends a sink. Returns what it received.
    pub fn finish(mut self) -> Received {
        drop(self.child.stdin.take());
        let line = self.lines.next().expect("a line").expect("reading");
        serde_json::from_str(&line).expect("the totals")
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
