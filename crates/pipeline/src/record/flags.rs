//! TCP header flags and their names.

use std::fmt;
use std::str::FromStr;

/// TCP header flags (RFC 9293, section 3.1), AE (RFC 9768) included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// FIN.
    pub const FIN: u16 = 0x001;
    /// SYN.
    pub const SYN: u16 = 0x002;
    /// RST.
    pub const RST: u16 = 0x004;
    /// PSH.
    pub const PSH: u16 = 0x008;
    /// ACK.
    pub const ACK: u16 = 0x010;
    /// URG.
    pub const URG: u16 = 0x020;
    /// ECE.
    pub const ECE: u16 = 0x040;
    /// CWR.
    pub const CWR: u16 = 0x080;
    /// AE, the former NS bit.
    pub const AE: u16 = 0x100;

    const NAMES: [(u16, &'static str); 9] = [
        (Self::AE, "AE"),
        (Self::CWR, "CWR"),
        (Self::ECE, "ECE"),
        (Self::URG, "URG"),
        (Self::ACK, "ACK"),
        (Self::PSH, "PSH"),
        (Self::RST, "RST"),
        (Self::SYN, "SYN"),
        (Self::FIN, "FIN"),
    ];

    /// What stands for the names if no flag is set.
    pub const NO_NAME: &'static str = "none";

    /// The names of the flags that are set, in header order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter_map(move |(bit, name)| self.contains(bit).then_some(name))
    }

    /// True if this flag is set.
    pub fn contains(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// The names in header order, joined by a bar: `ACK|PSH`. It is `none` if no flag is set.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = "|";
        }
        if separator.is_empty() { f.write_str(Self::NO_NAME) } else { Ok(()) }
    }
}

/// An error: the word is not the name of a header flag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no TCP header flag")]
pub struct UnknownFlag(String);

/// Reads the names that [`TcpFlags`] displays, in any order.
impl FromStr for TcpFlags {
    type Err = UnknownFlag;

    fn from_str(text: &str) -> Result<Self, UnknownFlag> {
        if text == Self::NO_NAME {
            return Ok(TcpFlags::default());
        }
        text.split('|').map(str::trim).try_fold(TcpFlags::default(), |flags, word| {
            let (bit, _) = Self::NAMES
                .iter()
                .find(|(_, name)| *name == word)
                .ok_or_else(|| UnknownFlag(word.to_owned()))?;
            Ok(TcpFlags(flags.0 | bit))
        })
    }
}

#[cfg(test)]
mod tests;
