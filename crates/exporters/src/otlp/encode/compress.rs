//! Compression of encoded requests.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use otel_tcpretrans_pipeline::delivery::{Compression, Request};

/// Compresses a request that is not compressed yet. If that fails, the request stays uncompressed, which backends
/// accept too. It fails only if memory is short.
pub(super) fn compress(request: Request, compression: Compression) -> Request {
    let compressed = match compression {
        Compression::None => return request,
        Compression::Gzip => gzip(&request.body),
        Compression::Zstd => zstd::encode_all(&request.body[..], zstd::DEFAULT_COMPRESSION_LEVEL),
    };
    match compressed {
        // The buffer has grown beyond its content. The queue counts the content only, so the rest is given back.
        Ok(body) => Request { body: body.into_boxed_slice().into(), compression, ..request },
        Err(_) => request,
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(body)?;
    out.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_request_says_how_its_body_is_compressed() {
        let plain = b"a body that repeats itself ".repeat(1000);
        let request = Request { body: plain.clone().into(), compression: Compression::None, items: 7 };
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let made = compress(request.clone(), compression);
            assert_eq!((made.compression, made.items), (compression, 7));
            let mut read = Vec::new();
            match compression {
                Compression::None => read = made.body.to_vec(),
                Compression::Gzip => {
                    flate2::read::GzDecoder::new(&made.body[..]).read_to_end(&mut read).expect("gzip");
                }
                Compression::Zstd => read = zstd::decode_all(&made.body[..]).expect("zstd"),
            }
            assert_eq!(read, plain, "{compression:?}");
            let is_small = made.body.len() < plain.len() / 10;
            assert_eq!(is_small, compression != Compression::None, "{compression:?}");
        }
    }
}
