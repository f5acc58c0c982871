//! The body of a request while it is filled.
//!
//! A large body has pages of its own, outside of the allocator's memory. When the body is sent, they serve another body
//! or go back to the kernel. A full queue then takes little more memory than its bodies have bytes. In the allocator's
//! memory, bodies of different sizes and from different threads would leave gaps, which took up to a fifth more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use memmap2::{Advice, MmapMut, MmapOptions};

/// With fewer items a body is small, and a mapping would cost more than it saves.
const MANY_ITEMS: usize = 256;

/// How much memory the kernel is asked for at once, in bytes. One request for it is much cheaper than one fault per page.
const STEP: usize = 128 << 10;

/// Bytes that grow.
pub(super) enum Body {
    /// In the allocator's memory.
    Small(Vec<u8>),
    /// In pages of its own.
    Large(Pages),
}

/// A mapping that is filled from its start.
pub(super) struct Pages {
    /// It is there until the drop.
    mapping: Option<Mapping>,
    len: usize,
    spare: Spare,
}

struct Mapping {
    map: MmapMut,
    /// How much of it the kernel was asked for.
    present: usize,
}

/// A mapping that no body uses, kept for the next one: new pages would cost more than the send. More than one would hardly
/// be used while the backend keeps up. All bodies of an encoder have the same limit, and share it.
#[derive(Clone, Default)]
pub(super) struct Spare(Arc<Mutex<Option<Mapping>>>);

impl Spare {
    /// A mapping of `size` bytes. `None` if the kernel has no memory.
    fn take(&self, size: usize) -> Option<Mapping> {
        self.lock().take().or_else(|| {
            let map = MmapMut::map_anon(size).ok()?;
            // A huge page has 2 MiB on many machines, of which a body would use a part. Kernels without huge pages
            // refuse this.
            let _ = map.advise(Advice::NoHugePage);
            Some(Mapping { map, present: 0 })
        })
    }

    fn give(&self, mapping: Mapping) {
        *self.lock() = Some(mapping);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Mapping>> {
        // Nothing that can panic runs while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body {
    /// A body of `len` zeros, for `items` items and at most `limit` bytes.
    pub(super) fn new(len: usize, limit: usize, items: usize, spare: &Spare) -> Body {
        // If there are no pages, the allocator may still have memory.
        let mapping = (items >= MANY_ITEMS).then(|| spare.take(len + limit)).flatten();
        match mapping {
            Some(mapping) => {
                let mut pages = Pages { mapping: Some(mapping), len: 0, spare: spare.clone() };
                pages.append(&vec![0; len]);
                Body::Large(pages)
            }
            None => Body::Small(vec![0; len]),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Body::Small(bytes) => bytes.len(),
            Body::Large(pages) => pages.len,
        }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        match self {
            Body::Small(body) => body.extend_from_slice(bytes),
            Body::Large(pages) => {
                if !pages.append(bytes) {
                    // More than was announced.
                    *self = Body::Small([pages.as_ref(), bytes].concat());
                }
            }
        }
    }

    /// Leaves the first `len` bytes.
    pub(super) fn clear(&mut self, len: usize) {
        match self {
            Body::Small(bytes) => bytes.truncate(len),
            Body::Large(pages) => pages.len = pages.len.min(len),
        }
    }

    /// The bytes, which no longer grow. Spare capacity is given back, since no queue counts it.
    pub(super) fn freeze(self) -> Bytes {
        match self {
            Body::Small(bytes) => bytes.into_boxed_slice().into(),
            Body::Large(pages) => pages.freeze(),
        }
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        match self {
            Body::Small(bytes) => bytes,
            Body::Large(pages) => pages.as_ref(),
        }
    }
}

impl AsMut<[u8]> for Body {
    fn as_mut(&mut self) -> &mut [u8] {
        match self {
            Body::Small(bytes) => bytes,
            Body::Large(pages) => pages.as_mut(),
        }
    }
}

impl Pages {
    /// Adds bytes. False if there is no room for them.
    fn append(&mut self, bytes: &[u8]) -> bool {
        let end = self.len + bytes.len();
        let Some(Mapping { map, present }) = &mut self.mapping else { return false };
        if end > map.len() {
            return false;
        }
        while *present < end {
            let step = STEP.min(map.len() - *present);
            // Linux has this since 5.14. Without it the pages come one by one.
            let _ = map.advise_range(Advice::PopulateWrite, *present, step);
            *present += step;
        }
        map[self.len..end].copy_from_slice(bytes);
        self.len = end;
        true
    }

    /// As [`Body::freeze`]. If much of the mapping is not used, the bytes move into one of their size.
    fn freeze(self) -> Bytes {
        let present = self.mapping.as_ref().map_or(0, |mapping| mapping.present);
        if present - self.len <= self.len / 16 {
            return Bytes::from_owner(self);
        }
        match MmapOptions::new().len(self.len).populate().map_anon() {
            Ok(mut exact) => {
                exact.copy_from_slice(self.as_ref());
                Bytes::from_owner(exact)
            }
            Err(_) => Bytes::from_owner(self),
        }
    }
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        self.mapping.as_ref().map_or(&[], |mapping| &mapping.map[..self.len])
    }
}

impl AsMut<[u8]> for Pages {
    fn as_mut(&mut self) -> &mut [u8] {
        self.mapping.as_mut().map_or(&mut [], |mapping| &mut mapping.map[..self.len])
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            self.spare.give(mapping);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Filled in steps of odd sizes, small or large, and beyond what was announced.
    #[test]
    fn it_has_what_was_appended() {
        for (items, is_large) in [(MANY_ITEMS - 1, false), (MANY_ITEMS, true)] {
            let mut body = Body::new(3, 3 * STEP, items, &Spare::default());
            assert_eq!(matches!(body, Body::Large(_)), is_large);
            let mut expected = vec![0; 3];
            for size in [1, 4095, 4096, 4097, STEP, STEP + 7, STEP, STEP] {
                let part: Vec<u8> = (0..size).map(|byte| byte as u8).collect();
                body.append(&part);
                expected.extend(part);
                assert_eq!(body.len(), expected.len());
            }
            body.as_mut()[0] = 9;
            expected[0] = 9;
            assert!(body.as_ref() == expected);
            assert!(body.freeze() == expected);
        }
    }

    #[test]
    fn it_is_filled_again_after_a_clear() {
        for items in [1, MANY_ITEMS] {
            let mut body = Body::new(2, 100, items, &Spare::default());
            body.append(b"first");
            body.clear(2);
            body.append(b"second");
            assert_eq!(body.freeze(), &b"\0\0second"[..]);
        }
    }

    #[test]
    fn what_an_earlier_body_left_in_its_pages_does_not_show() {
        let spare = Spare::default();
        let mut first = Body::new(2, 100, MANY_ITEMS, &spare);
        first.append(b"first");
        drop(first.freeze());
        assert!(spare.lock().is_some());
        let second = Body::new(2, 100, MANY_ITEMS, &spare);
        assert!(spare.lock().is_none());
        assert_eq!(second.as_ref(), [0, 0]);
        let others = [second, Body::new(2, 100, MANY_ITEMS, &spare)];
        drop(others);
        assert!(spare.lock().is_some(), "one is kept");
    }
}
