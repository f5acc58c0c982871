//! The kernel's count of retransmitted segments in this process's own network namespace.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::mib::counter;
use super::namespaces::inode;

/// More than the file has: some KiB. One read is one moment.
const ROOM: usize = 64 << 10;

/// The process's own network namespace, and the kernel's counter in it.
#[derive(Debug)]
pub struct OwnNamespace {
    snmp: File,
    inode: Option<u64>,
}

impl OwnNamespace {
    /// Opens the counter. It can still be read when the process may open no files any more.
    ///
    /// # Errors
    /// `/proc/self/net/snmp` can't be opened.
    pub fn open() -> io::Result<OwnNamespace> {
        Ok(OwnNamespace { snmp: File::open("/proc/self/net/snmp")?, inode: inode(Path::new("/proc/self")) })
    }

    /// The namespace's inode, as records have it.
    pub fn inode(&self) -> Option<u64> {
        self.inode
    }

    /// RetransSegs (RFC 4022): segments sent again since the namespace was made.
    ///
    /// # Errors
    /// The file can't be read, or has no such counter.
    pub fn retrans_segs(&self) -> io::Result<u64> {
        let mut text = vec![0; ROOM];
        let length = self.snmp.read_at(&mut text, 0)?;
        let missing = || io::Error::other("/proc/self/net/snmp has no RetransSegs");
        counter(&String::from_utf8_lossy(&text[..length]), "Tcp", "RetransSegs").ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_that_of_the_namespace_and_can_be_read_again() {
        let own = OwnNamespace::open().unwrap();
        let [first, second] = [own.retrans_segs().unwrap(), own.retrans_segs().unwrap()];
        assert!(first <= second, "{first} {second}");
        let found = super::super::namespaces::in_sight(super::super::Scope::Netns);
        assert!(found.readings.contains_key(&own.inode().unwrap()), "{found:?}");
    }
}
