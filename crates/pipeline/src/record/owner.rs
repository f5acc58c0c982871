//! Who owns a socket: a process and its command.

use std::fmt;

/// The process that opened a connection, that accepted it, or that made its listener listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its process id, as the initial pid namespace has it.
    pub pid: u32,
    /// Its command.
    pub command: Command,
}

/// The name of a command as the kernel keeps it (`comm`, `/proc/PID/comm`): at most 15 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command {
    /// UTF-8 up to `length`, then zeros.
    bytes: [u8; Command::MOST],
    length: u8,
}

impl Command {
    /// Length of the longest, in bytes (`TASK_COMM_LEN` without its zero, include/linux/sched.h).
    pub const MOST: usize = 15;

    /// From the kernel's bytes, which end with the first zero. It is cut off before a character that is not whole. Control
    /// characters, with which a process could write to a terminal, and bytes that are part of no character become
    /// question marks.
    pub fn from_kernel(comm: [u8; Command::MOST + 1]) -> Command {
        let mut bytes = [0; Command::MOST];
        bytes.copy_from_slice(&comm[..Command::MOST]);
        let mut length = bytes.iter().position(|byte| *byte == 0).unwrap_or(Command::MOST);
        if !bytes[..length].iter().all(|byte| matches!(byte, b' '..=b'~')) {
            length = mend(&mut bytes, length);
        }
        bytes[length..].fill(0);
        Command { bytes, length: length as u8 }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        // It was checked when it was made.
        std::str::from_utf8(&self.bytes[..self.length.into()]).unwrap_or_default()
    }
}

/// Makes UTF-8 without control characters of `length` bytes. Returns the new length.
fn mend(bytes: &mut [u8], mut length: usize) -> usize {
    while let Err(error) = std::str::from_utf8(&bytes[..length]) {
        match error.error_len() {
            Some(wrong) => bytes[error.valid_up_to()..][..wrong].fill(b'?'),
            None => length = error.valid_up_to(),
        }
    }
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    for (at, character) in text.char_indices().filter(|(_, character)| character.is_control()) {
        bytes[at..][..character.len_utf8()].fill(b'?');
    }
    length
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    //! What becomes of the kernel's bytes.

    use super::Command;

    fn command(bytes: &[u8]) -> String {
        let mut comm = [0; 16];
        comm[..bytes.len()].copy_from_slice(bytes);
        Command::from_kernel(comm).to_string()
    }

    #[test]
    fn a_command_ends_with_the_first_zero() {
        assert_eq!(command(b"nginx"), "nginx");
        assert_eq!(command(b"nginx\0worker"), "nginx");
        assert_eq!(command(b""), "");
        assert_eq!(command(b"kube-controller"), "kube-controller");
        assert_eq!(command(b"sixteen bytes ok"), "sixteen bytes o");
    }

    #[test]
    fn what_is_no_character_becomes_a_question_mark() {
        assert_eq!(command("böse".as_bytes()), "böse");
        assert_eq!(command(b"a\xff\xfeb"), "a??b");
        assert_eq!(command(&"aaaaaaaaaaaaaaö".as_bytes()[..15]), "aaaaaaaaaaaaaa");
        assert_eq!(command(b"\xe2\x82x"), "??x");
    }

    #[test]
    fn a_control_character_becomes_a_question_mark() {
        assert_eq!(command(b"\x1b[31mred\n"), "?[31mred?");
        assert_eq!(command("a\u{9b}b".as_bytes()), "a??b");
    }
}
