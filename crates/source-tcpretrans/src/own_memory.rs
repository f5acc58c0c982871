//! How much memory the process itself takes. It is here since it needs `unsafe`; it has nothing to do with
//! retransmissions.

use std::{fs, io};

use rustix::mm::{Advice, madvise};

/// Makes all threads allocate from one heap. By default glibc gives each thread a heap of its own, and each keeps free
/// memory. Few threads allocate here, and none for each record.
///
/// To be called at the start, before any other thread exists.
pub fn use_one_heap() {
    #[cfg(target_env = "gnu")]
    {
        use std::ffi::c_int;

        /// `malloc.h` of glibc.
        const M_ARENA_MAX: c_int = -8;
        unsafe extern "C" {
            /// `malloc.h` of glibc: sets a parameter of the allocator.
            safe fn mallopt(parameter: c_int, value: c_int) -> c_int;
        }
        mallopt(M_ARENA_MAX, 1);
    }
}

/// Gives back what is not in use: pages of the program's and the libraries' files, and free memory of the allocator. The
/// process gets both again when it needs them.
///
/// The start runs through much code that is never needed again, such as libbpf's reading of the kernel's BTF. Its pages
/// would stay in the process's resident memory for good. So would what a burst took of the allocator.
///
/// # Errors
/// `/proc/self/smaps` can't be read. Nothing has changed then.
pub fn give_back() -> io::Result<()> {
    for (start, length) in unchanged_files(&fs::read_to_string("/proc/self/smaps")?) {
        // SAFETY: the mapping is of a file and private, it can't be written to, and no page of it is a changed copy. So the
        // next access to a page finds the same bytes as before, read from the file. Nothing unmaps it: these are the
        // program and its libraries.
        // An error leaves the pages where they are.
        let _ = unsafe { madvise(start as *mut _, length, Advice::LinuxDontNeed) };
    }
    trim();
    Ok(())
}

/// The mappings of files, as (start, length), that this process can only read or execute, and in which no page is a changed
/// copy. `smaps` is what the kernel says (Documentation/filesystems/proc.rst): for each mapping a line with the addresses,
/// rights, offset, device, inode and path, and then lines such as `Anonymous: 0 kB`.
fn unchanged_files(smaps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Anonymous:"), Some("0")) => found.extend(candidate.take()),
            (Some(name), _) if name.ends_with(':') => {}
            (Some(addresses), Some("r--p" | "r-xp")) => {
                let is_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
                candidate = is_file.then(|| range(addresses)).flatten();
            }
            _ => candidate = None,
        }
    }
    found
}

/// `55d0c0-55d0d0` as start and length.
fn range(addresses: &str) -> Option<(usize, usize)> {
    let (start, end) = addresses.split_once('-')?;
    let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
    Some((start?, end?.checked_sub(start?)?))
}

/// Makes the allocator give its free pages back to the kernel.
fn trim() {
    #[cfg(target_env = "gnu")]
    {
        use std::ffi::c_int;

        unsafe extern "C" {
            /// `malloc.h` of glibc: gives free pages of all arenas back, and keeps `pad` bytes at the end of the heap.
            safe fn malloc_trim(pad: usize) -> c_int;
        }
        malloc_trim(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_unchanged_mappings_of_files_are_taken() {
        let smaps = "\
1000-3000 r--p 00000000 fe:00 7  /bin/program
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd mr
3000-9000 r-xp 00002000 fe:00 7  /bin/program
Anonymous:             0 kB
9000-a000 r--p 00008000 fe:00 7  /bin/program
Anonymous:             4 kB
a000-b000 rw-p 00009000 fe:00 7  /bin/program
Anonymous:             0 kB
b000-c000 r--s 00000000 00:10 9  /dev/shared
Anonymous:             0 kB
c000-d000 r-xp 00000000 00:00 0  [vdso]
Anonymous:             0 kB
d000-e000 r--p 00000000 00:00 0
Anonymous:             0 kB
";
        assert_eq!(unchanged_files(smaps), [(0x1000, 0x2000), (0x3000, 0x6000)]);
    }

    #[test]
    fn this_program_goes_on_and_has_less_memory() {
        let resident = || {
            let statm = fs::read_to_string("/proc/self/statm").unwrap();
            statm.split(' ').nth(2).unwrap().parse::<u64>().unwrap() // the pages of files
        };
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let code = unchanged_files(&smaps);
        assert!(code.len() > 2, "{code:?}");
        let before = resident();
        give_back().unwrap();
        let after = resident();
        assert!(after < before, "{before} pages of files, and {after} afterwards");
    }
}
