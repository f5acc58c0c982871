//! The names of flags.

use super::{TcpFlags, UnknownFlag};

#[test]
fn every_flag_has_its_name_and_its_bit() {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
    for (bit, name) in names.into_iter().enumerate() {
        let flags = TcpFlags(1 << bit);
        assert_eq!(flags.to_string(), name);
        assert_eq!(name.parse(), Ok(flags));
        assert!(flags.contains(1 << bit));
        assert!(!TcpFlags(!(1 << bit)).contains(1 << bit));
    }
}

#[test]
fn flags_are_listed_in_header_order() {
    assert_eq!(TcpFlags(TcpFlags::PSH | TcpFlags::ACK).to_string(), "ACK|PSH");
    assert_eq!(TcpFlags(0x1ff).to_string(), "AE|CWR|ECE|URG|ACK|PSH|RST|SYN|FIN");
    assert_eq!(TcpFlags(0).to_string(), "none");
    assert_eq!(TcpFlags(0xfe00).to_string(), "none", "these bits are not flags");
}

#[test]
fn flags_parse_in_any_order() {
    assert_eq!("SYN|ACK".parse(), Ok(TcpFlags(0x012)));
    assert_eq!("ACK | SYN".parse(), Ok(TcpFlags(0x012)));
    assert_eq!("none".parse(), Ok(TcpFlags(0)));
    assert_eq!("SYN|ACC".parse::<TcpFlags>(), Err(UnknownFlag("ACC".to_owned())));
    assert!("".parse::<TcpFlags>().is_err());
}
