//! Settings of a namespace's loopback, by rtnetlink: a virtual machine's small system has no `ip` that knows them all.

use std::io;

use socket2::{Domain, Protocol, Socket, Type};

/// linux/rtnetlink.h, linux/netlink.h, linux/if_link.h, linux/if.h.
const AF_NETLINK: i32 = 16;
const NETLINK_ROUTE: i32 = 0;
const RTM_SETLINK: u16 = 19;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const IFLA_MTU: u16 = 4;
const IFLA_GSO_MAX_SEGS: u16 = 40;
const IFF_UP: u32 = 1;

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

/// One request: struct nlmsghdr, struct ifinfomsg, struct rtattr and its value, and the kernel's answer to it.
fn set_loopback(flags: u32, attribute: u16, value: u32) -> io::Result<()> {
    const LENGTH: u32 = 16 + 16 + 8;
    let mut request = Vec::new();
    request.extend(LENGTH.to_ne_bytes());
    request.extend(RTM_SETLINK.to_ne_bytes());
    request.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    request.extend([0; 4 + 4 + 4]); // sequence, sender; family and type of the interface
    for word in [LOOPBACK, flags, flags] {
        request.extend(word.to_ne_bytes()); // index, flags, which of them to change
    }
    request.extend(8_u16.to_ne_bytes());
    request.extend(attribute.to_ne_bytes());
    request.extend(value.to_ne_bytes());

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
