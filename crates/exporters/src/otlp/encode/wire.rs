//! Protobuf's wire format (protobuf.dev, "Encoding"): the few forms that OTLP's messages need.
//!
//! A message is written once. The room for its length is left before it, and filled in after it.

/// Number of a field in its message.
pub(super) type Field = u8;

/// Wire types ("Message Structure"), in the low three bits of a field's key.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;

/// The longest length that takes one byte.
pub(super) const SHORT_MAX: usize = 127;
/// A length of up to 127 bytes takes one byte.
pub(super) const SHORT: usize = 1;
/// A length of 128 to 16383 bytes takes two bytes.
pub(super) const LONG: usize = 2;

/// Writes a field's key. The numbers of the fields that this program sends are below 16, so it takes one byte.
fn key(out: &mut Vec<u8>, field: Field, wire_type: u8) {
    out.push(field << 3 | wire_type);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes a length takes.
fn varint_len(length: usize) -> usize {
    length.checked_ilog2().unwrap_or(0) as usize / 7 + 1
}

/// A field of type `int32`, `int64`, `bool` or enum.
pub(super) fn integer(out: &mut Vec<u8>, field: Field, value: i64) {
    key(out, field, VARINT);
    varint(out, value as u64); // the two's complement, as the format demands
}

/// A field of type `fixed64` or `sfixed64`.
pub(super) fn fixed64(out: &mut Vec<u8>, field: Field, value: u64) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    out.extend_from_slice(&[field << 3 | FIXED64, a, b, c, d, e, f, g, h]);
}

/// A field of type `double`.
pub(super) fn double(out: &mut Vec<u8>, field: Field, value: f64) {
    fixed64(out, field, value.to_bits());
}

/// A field of type `string`.
pub(super) fn string(out: &mut Vec<u8>, field: Field, text: &str) {
    open(out, field, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Writes what goes before a message or a string, whose `length` bytes the caller writes next.
pub(super) fn open(out: &mut Vec<u8>, field: Field, length: usize) {
    key(out, field, LENGTH_DELIMITED);
    varint(out, length as u64);
}

/// Length of a message or a string as a field, in bytes, if its content has `length` bytes.
pub(super) fn field_len(length: usize) -> usize {
    1 + varint_len(length) + length
}

/// A field that is a message, or a string in several parts. `content` appends its content. The content is moved once
/// more if its length does not take `expected` bytes.
pub(super) fn nested(out: &mut Vec<u8>, field: Field, expected: usize, content: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, LENGTH_DELIMITED);
    let start = out.len();
    out.extend(std::iter::repeat_n(0, expected));
    content(out);
    let length = out.len() - start - expected;
    let needed = varint_len(length);
    if needed != expected {
        out.splice(start..start + expected, std::iter::repeat_n(0, needed));
    }
    let mut rest = length;
    for byte in &mut out[start..start + needed - 1] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + needed - 1] = rest as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each length at which a varint grows, and its neighbours.
    fn lengths() -> impl Iterator<Item = usize> {
        [0, 1, 1 << 7, 1 << 14, 1 << 21].into_iter().flat_map(|n: usize| [n.saturating_sub(1), n, n + 1])
    }

    #[test]
    fn a_message_has_its_length_before_it_whatever_was_expected() {
        for length in lengths() {
            let content = vec![7; length];
            let mut expected = vec![1, 2];
            prost::encoding::bytes::encode(5, &content, &mut expected);
            for room in [SHORT, LONG, 4] {
                let mut out = vec![1, 2];
                nested(&mut out, 5, room, |out| out.extend_from_slice(&content));
                assert!(out == expected, "{length} bytes in {room}");
            }
            let mut out = vec![1, 2];
            open(&mut out, 5, length);
            assert_eq!(out[..], expected[..expected.len() - length]);
            assert_eq!(field_len(length), expected.len() - 2);
        }
    }

    #[test]
    fn numbers_are_what_prost_writes() {
        for value in [0, 1, 127, 128, i64::MAX, -1, i64::MIN] {
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            integer(&mut out, 3, value);
            fixed64(&mut out, 11, value as u64);
            double(&mut out, 4, value as f64);
            prost::encoding::int64::encode(3, &value, &mut expected);
            prost::encoding::fixed64::encode(11, &(value as u64), &mut expected);
            prost::encoding::double::encode(4, &(value as f64), &mut expected);
            assert_eq!(out, expected, "{value}");
        }
    }
}
