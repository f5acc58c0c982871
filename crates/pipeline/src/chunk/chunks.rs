//! Several chunks as one sequence of items.

use super::model::Chunk;

/// Chunks in their order. A clone shares the items.
#[derive(Debug)]
pub struct Chunks<T> {
    chunks: Vec<Chunk<T>>,
    /// Number of items in all of them.
    len: usize,
}

impl<T> Chunks<T> {
    /// Adds a chunk at the end.
    pub fn push(&mut self, chunk: Chunk<T>) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push(chunk);
        }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The items, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Chunks { chunks: self.chunks.clone(), len: self.len }
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { chunks: Vec::new(), len: 0 }
    }
}

impl<T> From<Chunk<T>> for Chunks<T> {
    fn from(chunk: Chunk<T>) -> Self {
        let mut chunks = Chunks::default();
        chunks.push(chunk);
        chunks
    }
}

impl<T> FromIterator<T> for Chunks<T> {
    /// One chunk of these items.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Chunk::from_iter(items).into()
    }
}

impl<T> From<Vec<T>> for Chunks<T> {
    /// One chunk of these items.
    fn from(items: Vec<T>) -> Self {
        Chunk::from(items).into()
    }
}

impl<T, const N: usize> From<[T; N]> for Chunks<T> {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}
