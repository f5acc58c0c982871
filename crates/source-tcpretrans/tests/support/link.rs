//! Settings of a namespace's loopback, by rtnetlink: a virtual machine's small system has no `ip` and `tc` that know them
//! all.

use std::io;

use socket2::{Domain, Protocol, Socket, Type};

/// linux/rtnetlink.h, linux/netlink.h, linux/if_link.h, linux/if.h, linux/pkt_sched.h.
const AF_NETLINK: i32 = 16;
const NETLINK_ROUTE: i32 = 0;
const RTM_SETLINK: u16 = 19;
const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_CREATE: u16 = 0x400;
const IFLA_MTU: u16 = 4;
const IFLA_GSO_MAX_SEGS: u16 = 40;
const IFF_UP: u32 = 1;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TC_H_ROOT: u32 = u32::MAX;

/// The first interface of every network namespace.
const LOOPBACK: u32 = 1;

/// Brings this thread's loopback up, with an Ethernet's MTU.
pub fn loopback_up() -> io::Result<()> {
    set_loopback(IFF_UP, IFLA_MTU, 1500)
}

/// From here on this thread's loopback takes one segment at a time.
pub fn loopback_without_gso() -> io::Result<()> {
    set_loopback(0, IFLA_GSO_MAX_SEGS, 1)
}

/// From here on this thread's loopback drops all that is sent, and says so to the sender: a queueing discipline that has
/// room for nothing. pfifo is a part of every kernel that has queueing disciplines.
pub fn loopback_drops_all() -> io::Result<()> {
    let kind = attribute(TCA_KIND, b"pfifo\0\0\0"); // padded to a multiple of 4 bytes
    let limit = attribute(TCA_OPTIONS, &0_u32.to_ne_bytes());
    request(RTM_NEWQDISC, NLM_F_CREATE, &[root_qdisc(), kind, limit].concat())
}

/// Takes that back.
pub fn loopback_drops_nothing() -> io::Result<()> {
    request(RTM_DELQDISC, 0, &root_qdisc())
}

/// struct tcmsg: family, interface, handle, parent, info.
fn root_qdisc() -> Vec<u8> {
    [0, LOOPBACK, 0, TC_H_ROOT, 0].map(u32::to_ne_bytes).concat()
}

/// struct ifinfomsg: family and type, index, flags, which of them to change.
fn set_loopback(flags: u32, kind: u16, value: u32) -> io::Result<()> {
    let interface = [0, LOOPBACK, flags, flags].map(u32::to_ne_bytes).concat();
    request(RTM_SETLINK, 0, &[interface, attribute(kind, &value.to_ne_bytes())].concat())
}

/// struct rtattr and its value.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len() as u16;
    [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat()
}

/// One request, struct nlmsghdr and its body, and the kernel's answer to it.
fn request(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    let mut request = Vec::new();
    request.extend((16 + body.len() as u32).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend((flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    request.extend([0; 4 + 4]); // sequence, sender
    request.extend(body);

    let socket = Socket::new(Domain::from(AF_NETLINK), Type::DGRAM, Some(Protocol::from(NETLINK_ROUTE)))?;
    socket.send(&request)?;
    let mut answer = [0; 4096];
    let length = io::Read::read(&mut &socket, &mut answer)?;
    // struct nlmsgerr after the header: the error, negative, or 0.
    let error = answer[..length].get(16..20).ok_or(io::ErrorKind::UnexpectedEof)?;
    match i32::from_ne_bytes(error.try_into().map_err(io::Error::other)?) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}
