//! Numbers and addresses as text, written into bytes. `std::fmt` writes the same text, but a record has more than forty of
//! these values and `std::fmt` takes several times as long for each. What only people read is a `String`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use crate::attribute::ErrorType;
use crate::record::TcpFlags;

/// A whole number, in decimal digits.
pub fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A time in milliseconds with three decimals: `12.500`. It is rounded to microseconds.
pub fn milliseconds(out: &mut Vec<u8>, time: Duration) {
    let below_a_second = (time.subsec_nanos() + 500) / 1000;
    let microseconds = time.as_secs().saturating_mul(1_000_000).saturating_add(below_a_second.into());
    number(out, microseconds / 1000);
    let digit = |unit| b'0' + (microseconds / unit % 10) as u8;
    out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
}

/// The names of TCP flags, as [`TcpFlags`] displays them.
pub fn flags(out: &mut Vec<u8>, flags: TcpFlags) {
    let start = out.len();
    for name in flags.names() {
        if out.len() > start {
            out.push(b'|');
        }
        out.extend_from_slice(name.as_bytes());
    }
    if out.len() == start {
        out.extend_from_slice(TcpFlags::NO_NAME.as_bytes());
    }
}

/// A whole number for people, with a comma before each three digits: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The name of an errno, as [`ErrorType`] displays it. Few records have one.
pub fn errno(out: &mut Vec<u8>, errno: i32) {
    // Writing into a Vec can't fail.
    let _ = write!(out, "{}", ErrorType(errno));
}

/// An address with its port, as [`SocketAddr`] displays it.
pub fn socket_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => ipv4(out, *address.ip()),
        SocketAddr::V6(address) => {
            out.push(b'[');
            ipv6(out, *address.ip());
            if address.scope_id() != 0 {
                out.push(b'%');
                number(out, address.scope_id());
            }
            out.push(b']');
        }
    }
    out.push(b':');
    number(out, address.port());
}

/// An address, as [`IpAddr`] displays it.
pub fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => ipv4(out, address),
        IpAddr::V6(address) => ipv6(out, address),
    }
}

fn ipv4(out: &mut Vec<u8>, address: Ipv4Addr) {
    for octet in address.octets() {
        let start = out.len();
        // A copy of fixed size is faster than one of the size that is needed.
        out.extend_from_slice(&OCTETS[usize::from(octet)]);
        out.truncate(start + digits(octet) + 1);
    }
    out.pop(); // the last dot
}

/// Each octet's digits and a dot.
const OCTETS: [[u8; 4]; 256] = {
    let mut octets = [[b'.'; 4]; 256];
    let mut octet = 0;
    while octet < octets.len() {
        let (mut place, mut rest) = (digits(octet as u8), octet as u8);
        while place > 0 {
            place -= 1;
            octets[octet][place] = b'0' + rest % 10;
            rest /= 10;
        }
        octet += 1;
    }
    octets
};

const fn digits(octet: u8) -> usize {
    1 + (octet >= 10) as usize + (octet >= 100) as usize
}

/// Writes the form of RFC 5952: small letters, no leading zeros, `::` for the longest run of zeros, and the IPv4 form
/// of an IPv4-mapped address.
fn ipv6(out: &mut Vec<u8>, address: Ipv6Addr) {
    if let Some(mapped) = address.to_ipv4_mapped() {
        out.extend_from_slice(b"::ffff:");
        return ipv4(out, mapped);
    }
    let segments = address.segments();
    let zeros = longest_zeros(&segments);
    if zeros.len() < 2 {
        return hexadecimal(out, &segments);
    }
    hexadecimal(out, &segments[..zeros.start]);
    out.extend_from_slice(b"::");
    hexadecimal(out, &segments[zeros.end..]);
}

/// The longest run of zeros; the first one if there are several.
fn longest_zeros(segments: &[u16; 8]) -> Range<usize> {
    let (mut longest, mut start) = (0..0, 0);
    for (index, segment) in segments.iter().enumerate() {
        if *segment != 0 {
            start = index + 1;
        } else if index + 1 - start > longest.len() {
            longest = start..index + 1;
        }
    }
    longest
}

/// Segments of an IPv6 address, with a colon between them.
fn hexadecimal(out: &mut Vec<u8>, segments: &[u16]) {
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        let digits = segment.checked_ilog(16).unwrap_or(0) + 1;
        for place in (0..digits).rev() {
            out.push(b"0123456789abcdef"[usize::from(segment >> (4 * place) & 0xf)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn thousands_have_commas() {
        for (value, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(value), expected);
        }
    }

    /// Addresses with runs of zeros, which random bits would hardly ever have.
    fn ipv6_addresses() -> impl Strategy<Value = Ipv6Addr> {
        let segment = prop_oneof![3 => Just(0), 1 => Just(0xffff), 2 => any::<u16>(), 1 => 0..0x1000_u16];
        proptest::array::uniform8(segment).prop_map(Ipv6Addr::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn addresses_are_written_as_std_displays_them(
            v4: Ipv4Addr, v6 in ipv6_addresses(), any_v6: Ipv6Addr, port: u16, scope in 0..3_u32,
        ) {
            let v6_socket = |ip| SocketAddr::from(std::net::SocketAddrV6::new(ip, port, 0, scope));
            for ip in [v6, any_v6, v4.to_ipv6_mapped()] {
                prop_assert_eq!(written(|out| address(out, ip.into())), ip.to_string());
                prop_assert_eq!(written(|out| socket_address(out, v6_socket(ip))), v6_socket(ip).to_string());
            }
            prop_assert_eq!(written(|out| address(out, v4.into())), v4.to_string());
            let socket = SocketAddr::from((v4, port));
            prop_assert_eq!(written(|out| socket_address(out, socket)), socket.to_string());
        }

        #[test]
        fn whole_microseconds_are_written_as_std_formats_them(microseconds: u32) {
            let time = Duration::from_micros(microseconds.into());
            let expected = format!("{:.3}", time.as_secs_f64() * 1e3);
            prop_assert_eq!(written(|out| milliseconds(out, time)), expected);
        }

        #[test]
        fn flags_are_written_as_they_are_displayed(bits: u16) {
            prop_assert_eq!(written(|out| flags(out, TcpFlags(bits))), TcpFlags(bits).to_string());
        }
    }

    #[test]
    fn a_time_is_rounded_to_microseconds() {
        for (time, text) in [
            (Duration::from_nanos(1_499), "0.001"),
            (Duration::from_nanos(1_500), "0.002"),
            (Duration::from_nanos(1_999_999_999), "2000.000"),
            (Duration::MAX, "18446744073709551.615"),
        ] {
            assert_eq!(written(|out| milliseconds(out, time)), text, "{time:?}");
        }
    }
}
