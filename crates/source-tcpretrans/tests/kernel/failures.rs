//! Retransmissions that the kernel counts and then fails to send.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use otel_tcpretrans_source::config::{Hook, Transport};
use otel_tcpretrans_source::facts::Facts;
use socket2::Socket;

use crate::running::{Running, own};
use crate::support::namespace::{
    isolated, netstat, retrans_segs, wait_for, wait_until_quiet, while_nothing_is_sent,
};
use crate::support::traffic::{listen, loopback, lose_one_in};

const PATIENCE: Duration = Duration::from_secs(30);

/// A client whose byte was sent and is not acknowledged, and the other end.
fn unacknowledged(v6: bool) -> (TcpStream, Socket) {
    let (listener, port) = listen(loopback(v6));
    let mut client = TcpStream::connect(SocketAddr::new(loopback(v6), port)).expect("connect");
    let (server, _) = listener.accept().expect("accept");
    lose_one_in(&server, 1);
    client.write_all(&[7]).expect("write");
    (client, server)
}

/// Closes a socket and sends nothing but a reset.
fn abort(socket: Socket) {
    socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
}

/// The first that a socket sends again is dropped by a queueing discipline. Some sockets end then, others go on: in both
/// cases all segments are in the sums that RetransSegs has.
///
/// Kernels before 6.17 don't show what fails. Where sockets have storage it is told by their next event or their end all the
/// same. Elsewhere the first event is one that was sent, and what failed before it is missing.
pub fn as_the_first_event(hook: Hook) {
    isolated(move || {
        let btf = Facts::probe().unwrap().btf.expect("BTF");
        let (shown, kept) = (btf.reports_err, btf.socket_storage && hook == Hook::TpBtf);
        let running = Running::start(own(hook, Transport::Auto));
        let ends = [false, true].map(unacknowledged);
        let goes_on = [false, true].map(unacknowledged);
        let failed = while_nothing_is_sent(|| {
            assert_eq!(retrans_segs(), 0, "too late: the timers have struck");
            wait_for("a failure of each and more", PATIENCE, || netstat("TCPRetransFail") >= 8);
            for (client, server) in ends {
                abort(client.into());
                abort(server);
            }
            netstat("TCPRetransFail")
        });
        let before = retrans_segs();
        wait_for("a retransmission that is sent", PATIENCE, || retrans_segs() >= before + 2);
        for (_, server) in &goes_on {
            server.detach_filter().expect("SO_DETACH_FILTER");
        }
        drop(goes_on);
        wait_until_quiet();
        let seen = running.finish();
        let failed = failed.max(netstat("TCPRetransFail"));
        let counted = retrans_segs() - if shown || kept { 0 } else { failed };
        let failures = seen.records.iter().filter(|record| record.errno().is_some()).count();
        println!("    {failures} of {failed} failures shown");
        assert!(failures > 0 || !shown || seen.shortage() > 0, "{:?}", seen.records);
        seen.assert_balanced(counted);
    });
}
