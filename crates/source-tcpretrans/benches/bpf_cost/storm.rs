//! The storm: connections over a loopback that loses every tenth packet, without GSO, until it is dropped.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use socket2::{Domain, Socket, Type};

use crate::support::namespace::without_gso;
use crate::support::traffic::listen;

/// Retransmissions without end, in the network namespace of the thread that made it. Namespace, rules and connections go
/// with the process, however it ends.
pub struct Storm {
    ends: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Storm {
    /// So many connections with this congestion control. Where the kernel does not have it, its own default has to do.
    pub fn start(flows: usize, congestion: &str) -> Result<Storm, Box<dyn Error>> {
        without_gso();
        let (listener, port) = listen(Ipv4Addr::LOCALHOST.into());
        lose_every_tenth(port)?;
        let mut storm = Storm { ends: Vec::new(), threads: Vec::new() };
        for _ in 0..flows {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            let _ = client.set_tcp_congestion(congestion.as_bytes());
            client.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
            let (accepted, _) = listener.accept()?;
            let (mut client, mut server) = (TcpStream::from(client), TcpStream::from(accepted));
            storm.ends.extend([client.try_clone()?, server.try_clone()?]);
            // They end when the connection is shut down.
            storm.threads.push(thread::spawn(move || while client.write_all(&[7; 1 << 16]).is_ok() {}));
            storm.threads.push(thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while server.read(&mut buffer).is_ok_and(|read| read > 0) {}
            }));
        }
        Ok(storm)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        for end in &self.ends {
            let _ = end.shutdown(Shutdown::Both); // one that is down already is what we want
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Every tenth, as a lossy link would: where it is one at random, what is sent again is lost again more often than a
/// connection can bear, and it waits for its timer.
fn lose_every_tenth(port: u16) -> Result<(), Box<dyn Error>> {
    let chain = "type filter hook input priority 0;";
    let rule = format!("tcp dport {port} numgen inc mod 10 == 0 drop;");
    let rules = format!("table ip storm {{\nchain input {{\n{chain}\n{rule}\n}}\n}}\n");
    let mut command = Command::new("nft");
    let mut nft =
        command.args(["-f", "-"]).stdin(Stdio::piped()).spawn().map_err(|error| format!("nft: {error}"))?;
    nft.stdin.take().ok_or("no stdin")?.write_all(rules.as_bytes())?;
    let status = nft.wait()?;
    if status.success() { Ok(()) } else { Err(format!("nft: {status}").into()) }
}
