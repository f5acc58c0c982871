//! Reads a recording, up to its end or to its tear. Whatever the bytes are, it does not fail in another way.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::format::{HEAD, HEAD_SUMMED, Kind, MAGIC, VERSION, checksum};
use super::header::{Header, take};
use crate::wire;

/// Bytes that are read at once.
const READ_AHEAD: usize = 256 << 10;

/// Why a file can't be read as a recording.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", .path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Unfit,
}

/// What is wrong with a file as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It can't be opened or read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is no recording.
    #[error("not a recording: expected it to begin with {MAGIC:02x?}, found {found:02x?}")]
    Foreign {
        /// What it begins with.
        found: Vec<u8>,
    },
    /// It is one of another version of this program.
    #[error("a recording of format version {found}; expected version {VERSION}")]
    FormatVersion {
        /// The file's.
        found: u32,
    },
    /// Its events can't be decoded here.
    #[error(
        "a recording of wire version {version} with events of {size} bytes; expected version {} with {} bytes",
        wire::VERSION,
        wire::EVENT_SIZE
    )]
    WireVersion {
        /// The file's.
        version: u32,
        /// Of an event in the file, in bytes.
        size: u32,
    },
    /// The same, because of their byte order.
    #[error("a recording from a machine of the other byte order")]
    ByteOrder,
    /// The tear is before the first event.
    #[error("{0}")]
    Torn(Tear),
}

/// The place from where on a recording is damaged.
#[derive(Debug, thiserror::Error)]
#[error("torn at byte {offset}: {damage}")]
pub struct Tear {
    /// Of the first record that can't be read, in bytes.
    pub offset: u64,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// There is none, and the one before was not the end.
    #[error("the file ends without its end record")]
    NoEnd,
    /// It is not all there.
    #[error("the record is cut off")]
    Truncated,
    /// It is not what was written.
    #[error("the record's checksum is wrong")]
    Checksum,
    /// Its length, its kind or its content is none that a writer makes.
    #[error("the record is malformed")]
    Malformed,
    /// There is one after the end record.
    #[error("the file goes on after its end record")]
    AfterEnd,
    /// The file can't be read.
    #[error("{0}")]
    Unreadable(io::Error),
}

/// An event of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireEvent<'r> {
    /// As the kernel sent it; [`decode`](crate::decode) takes it.
    pub bytes: &'r [u8],
    /// Wall time minus boot time, in ns, as it was sampled last.
    pub wall_offset_ns: i64,
}

/// Reads a recording's events in their order.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    /// Of the next record, in bytes.
    offset: u64,
    wall_offset_ns: i64,
    events: u64,
    lost: u64,
    over: bool,
    payload: Vec<u8>,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Names the file and says what was expected of it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |problem| OpenError { path: path.to_owned(), problem };
        let file = File::open(path).map_err(|error| failed(Unfit::Unreadable(error)))?;
        Reader::new(BufReader::with_capacity(READ_AHEAD, file)).map_err(failed)
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn new(mut input: R) -> Result<Reader<R>, Unfit> {
        let mut start = [0; MAGIC.len() + size_of::<u32>()];
        let read = fill(&mut input, &mut start).map_err(Unfit::Unreadable)?;
        let (magic, version) = start[..read].split_at(read.min(MAGIC.len()));
        if magic != MAGIC {
            return Err(Unfit::Foreign { found: magic.to_owned() });
        }
        let Ok(version) = version.try_into() else {
            return Err(Unfit::Torn(Tear { offset: MAGIC.len() as u64, damage: Damage::Truncated }));
        };
        match u32::from_le_bytes(version) {
            VERSION => {}
            found => return Err(Unfit::FormatVersion { found }),
        }
        let mut payload = Vec::new();
        let offset = start.len() as u64;
        let torn = |damage| Unfit::Torn(Tear { offset, damage });
        let header = match record(&mut input, &mut payload).map_err(torn)? {
            Some(Kind::Header) => Header::from_bytes(&payload).ok_or_else(|| torn(Damage::Malformed))?,
            Some(_) => return Err(torn(Damage::Malformed)),
            None => return Err(torn(Damage::NoEnd)),
        };
        if (header.wire_version, header.event_size as usize) != (wire::VERSION, wire::EVENT_SIZE) {
            return Err(Unfit::WireVersion { version: header.wire_version, size: header.event_size });
        }
        if !header.is_native() {
            return Err(Unfit::ByteOrder);
        }
        let offset = offset + (HEAD + payload.len()) as u64;
        let wall_offset_ns = header.wall_offset_ns;
        Ok(Reader { input, header, offset, wall_offset_ns, events: 0, lost: 0, over: false, payload })
    }

    /// Where the recording comes from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Events read so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Events that the recorder lost, known once the end was read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The next event; `None` after the end, and after the tear.
    ///
    /// # Errors
    /// The tear.
    pub fn next_event(&mut self) -> Result<Option<WireEvent<'_>>, Tear> {
        while !self.over {
            match self.step() {
                Ok(false) => {}
                Ok(true) => {
                    self.events += 1;
                    return Ok(Some(WireEvent { bytes: &self.payload, wall_offset_ns: self.wall_offset_ns }));
                }
                Err(damage) => {
                    self.over = true;
                    return Err(Tear { offset: self.offset, damage });
                }
            }
        }
        Ok(None)
    }

    /// Reads one record. True where it is an event.
    fn step(&mut self) -> Result<bool, Damage> {
        let kind = record(&mut self.input, &mut self.payload)?.ok_or(Damage::NoEnd)?;
        let mut payload = self.payload.as_slice();
        match kind {
            Kind::Header => return Err(Damage::Malformed),
            Kind::Event => {}
            Kind::Clock => {
                let offset = payload.try_into().map_err(|_| Damage::Malformed)?;
                self.wall_offset_ns = i64::from_le_bytes(offset);
            }
            Kind::End => {
                let numbers = (take(&mut payload), take(&mut payload));
                let (Some(events), Some(seen), true) = (numbers.0, numbers.1, payload.is_empty()) else {
                    return Err(Damage::Malformed);
                };
                if u64::from_le_bytes(events) != self.events {
                    return Err(Damage::Malformed);
                }
                self.lost = u64::from_le_bytes(seen).saturating_sub(self.events);
                self.over = true;
            }
        }
        self.offset += (HEAD + self.payload.len()) as u64;
        if kind == Kind::End && fill(&mut self.input, &mut [0]).map_err(Damage::Unreadable)? > 0 {
            return Err(Damage::AfterEnd);
        }
        Ok(kind == Kind::Event)
    }
}

/// Reads a record's payload, and returns its kind; `None` where the file ends.
fn record(input: &mut impl Read, payload: &mut Vec<u8>) -> Result<Option<Kind>, Damage> {
    let mut head = [0; HEAD];
    match fill(input, &mut head).map_err(Damage::Unreadable)? {
        0 => return Ok(None),
        HEAD => {}
        _ => return Err(Damage::Truncated),
    }
    let [a, b, c, d, kind, reserved @ .., w, x, y, z] = head;
    let (Ok(length), [0, 0, 0]) = (u16::try_from(u32::from_le_bytes([a, b, c, d])), reserved) else {
        return Err(Damage::Malformed);
    };
    let kind = Kind::of(kind).ok_or(Damage::Malformed)?;
    payload.resize(length.into(), 0);
    if fill(input, payload).map_err(Damage::Unreadable)? < payload.len() {
        return Err(Damage::Truncated);
    }
    let [summed @ .., _, _, _, _] = head;
    let summed: [u8; HEAD_SUMMED] = summed;
    if checksum(&summed, payload) != u32::from_le_bytes([w, x, y, z]) {
        return Err(Damage::Checksum);
    }
    Ok(Some(kind))
}

/// Fills `bytes`, or as much of it as the input has.
fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
