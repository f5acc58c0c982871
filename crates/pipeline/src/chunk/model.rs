//! One chunk.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Items in their order. A clone shares them. A chunk is read as a slice.
pub struct Chunk<T> {
    items: Arc<[T]>,
    /// The part of `items` that belongs to this chunk.
    range: Range<usize>,
}

impl<T> Chunk<T> {
    /// Removes the first `count` items and returns them. The items are not copied.
    ///
    /// # Panics
    /// Panics if the chunk has fewer than `count` items.
    pub fn split_to(&mut self, count: usize) -> Chunk<T> {
        assert!(count <= self.len(), "{count} of {} items", self.len());
        let middle = self.range.start + count;
        let first = Chunk { items: Arc::clone(&self.items), range: self.range.start..middle };
        self.range.start = middle;
        first
    }
}

impl<T: Clone> Chunk<T> {
    /// The items for which `keeps` is true. Items are copied only if some are removed and some stay.
    #[must_use]
    pub fn retain(self, mut keeps: impl FnMut(&T) -> bool) -> Chunk<T> {
        let Some(removed) = self.iter().position(|item| !keeps(item)) else { return self };
        let (before, after) = (&self[..removed], &self[removed + 1..]);
        before.iter().chain(after.iter().filter(|item| keeps(item))).cloned().collect()
    }
}

impl<T> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        Chunk { items: Arc::clone(&self.items), range: self.range.clone() }
    }
}

impl<T> Default for Chunk<T> {
    /// An empty chunk.
    fn default() -> Self {
        Chunk::from(Vec::new())
    }
}

impl<T> Deref for Chunk<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[self.range.clone()]
    }
}

impl<T> From<Vec<T>> for Chunk<T> {
    fn from(items: Vec<T>) -> Self {
        let range = 0..items.len();
        Chunk { items: items.into(), range }
    }
}

impl<T> FromIterator<T> for Chunk<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Arc<[T]> = items.into_iter().collect();
        let range = 0..items.len();
        Chunk { items, range }
    }
}

impl<T: fmt::Debug> fmt::Debug for Chunk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(items: Range<u32>) -> Chunk<u32> {
        items.collect()
    }

    #[test]
    fn a_split_chunk_shares_its_items() {
        let mut rest = chunk(0..5);
        let first = rest.split_to(2);
        assert_eq!((&*first, &*rest), (&[0, 1][..], &[2, 3, 4][..]));
        assert!(Arc::ptr_eq(&first.items, &rest.items));
        assert!(rest.split_to(0).is_empty());
    }

    #[test]
    fn what_is_kept_keeps_its_order_and_is_not_copied_without_need() {
        let all = chunk(0..5);
        let kept = all.clone().retain(|_| true);
        assert!(Arc::ptr_eq(&kept.items, &all.items));
        assert_eq!(&*all.clone().retain(|item| item % 2 == 0), [0, 2, 4]);
        assert!(all.retain(|_| false).is_empty());
    }

    #[test]
    fn each_item_is_judged_once_and_in_order() {
        let mut judged = Vec::new();
        let kept = chunk(0..5).retain(|item| {
            judged.push(*item);
            *item != 1 && *item != 3
        });
        assert_eq!((&*kept, &*judged), (&[0, 2, 4][..], &[0, 1, 2, 3, 4][..]));
    }
}
