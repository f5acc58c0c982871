//! Compression of encoded requests.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use flate2::write::GzEncoder;
use otel_tcpretrans_pipeline::delivery::Compression;

/// Compresses requests.
pub(super) struct Compressor {
    compression: Compression,
    /// From 1, which is the fastest.
    level: u8,
    /// Of the last request, for the next one: its memory need not be cleared again.
    zstd: Mutex<Option<Zstd>>,
}

/// What zstd works with.
struct Zstd {
    context: zstd::bulk::Compressor<'static>,
    out: Vec<u8>,
}

impl Compressor {
    pub(super) fn new(compression: Compression, level: u8) -> Self {
        Compressor { compression, level, zstd: Mutex::default() }
    }

    /// The compressed request, or `None` if it is to be sent uncompressed. It is sent uncompressed too if compression
    /// fails, since backends accept that. Compression fails only if memory is short.
    pub(super) fn compress(&self, request: &[u8]) -> Option<(Compression, Bytes)> {
        let compressed = match self.compression {
            Compression::None => return None,
            Compression::Gzip => gzip(request, self.level),
            Compression::Zstd => self.zstd(request),
        };
        compressed.ok().map(|body| (self.compression, body))
    }

    fn zstd(&self, request: &[u8]) -> io::Result<Bytes> {
        let kept = self.kept().take();
        let mut zstd = match kept {
            Some(zstd) => zstd,
            None => {
                let context = zstd::bulk::Compressor::new(self.level.into())?;
                Zstd { context, out: Vec::new() }
            }
        };
        zstd.out.clear();
        zstd.out.reserve(zstd::zstd_safe::compress_bound(request.len()));
        zstd.context.compress_to_buffer(request, &mut zstd.out)?;
        let body = exact(&zstd.out);
        *self.kept() = Some(zstd);
        Ok(body)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Zstd>> {
        // Nothing runs while it is locked.
        self.zstd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gzip(request: &[u8], level: u8) -> io::Result<Bytes> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::new(level.into()));
    out.write_all(request)?;
    Ok(exact(&out.finish()?))
}

/// A copy without spare capacity. A compressor's buffer is much larger than its content, and the queue counts the content
/// only. The copy is small. If the buffer were cut instead, its rest would be a gap between requests, which may stay in the
/// queue for long.
fn exact(compressed: &[u8]) -> Bytes {
    Bytes::copy_from_slice(compressed)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_says_how() {
        let plain = b"a body that repeats itself ".repeat(1000);
        for level in [1, 9] {
            assert_eq!(Compressor::new(Compression::None, level).compress(&plain), None);
            for compression in [Compression::Gzip, Compression::Zstd] {
                let (made, body) = Compressor::new(compression, level).compress(&plain).expect("compressed");
                assert_eq!(made, compression);
                let mut read = Vec::new();
                match compression {
                    Compression::None => unreachable!(),
                    Compression::Gzip => {
                        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut read).expect("gzip");
                    }
                    Compression::Zstd => read = zstd::decode_all(&body[..]).expect("zstd"),
                }
                assert_eq!(read, plain, "{compression:?}");
                assert!(body.len() < plain.len() / 10, "{compression:?}");
            }
        }
    }

    #[test]
    fn a_higher_level_compresses_more() {
        let plain: Vec<u8> = (0..2000_u64)
            .flat_map(|n| format!("record {n} of {} bytes, ", n * n % 1009).into_bytes())
            .collect();
        for compression in [Compression::Gzip, Compression::Zstd] {
            let [first, last] = [1, 9].map(|level| {
                Compressor::new(compression, level).compress(&plain).expect("compressed").1.len()
            });
            assert!(last < first, "{compression:?}: {last} and {first} bytes");
        }
    }
}
