//! Opens a store. If its file is damaged, it is set aside, and what can be read of it goes into a new one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::config::Config;
use super::error::{OpenError, StoreError};
use super::row::{Row, Totals};
use super::store::Store;

/// Rows are copied in commits of so many bytes.
const COPIED_AT_ONCE: u64 = 4 << 20;
/// Where rows can't be read, this looks ever further ahead, up to so many ids.
const FURTHEST: i64 = 1 << 40;

/// A store that was opened.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// What it holds.
    pub(crate) totals: Totals,
    /// `Some` if its file was damaged.
    pub(crate) damage: Option<Damage>,
}

/// What became of a damaged file.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) why: String,
    /// Where it is now.
    pub(crate) aside: PathBuf,
    /// What it said that it holds; `None` if that can't be read.
    pub(crate) before: Option<Totals>,
}

impl Damage {
    /// The items that are lost, by pipeline, as far as that is known.
    pub(crate) fn lost(&self, now: &Totals) -> Vec<(Arc<str>, u64)> {
        let before = self.before.iter().flatten();
        let lost = before.map(|(pipeline, before)| {
            let saved = now.get(pipeline).map_or(0, |now| now.items);
            (Arc::clone(pipeline), u64::try_from(before.items - saved).unwrap_or(0))
        });
        lost.filter(|(_, items)| *items > 0).collect()
    }
}

/// Opens the store at `path`. Makes it if there is none.
///
/// # Errors
/// The file can't be used. A damaged file is no error.
pub(crate) fn open(path: &Path, config: &Config) -> Result<Opened, OpenError> {
    let looked = Store::open(path, config).and_then(|store| {
        let totals = store.totals()?;
        look(&store, &totals)?;
        Ok(Opened { store, totals, damage: None })
    });
    match looked {
        Ok(opened) => Ok(opened),
        Err(StoreError::Damaged(why)) => set_aside(path, config, why),
        Err(StoreError::Failed(why)) => Err(OpenError::Store { path: path.to_owned(), why }),
    }
}

/// A short look at what a start needs.
fn look(store: &Store, totals: &Totals) -> Result<(), StoreError> {
    store.clock_off()?;
    let (first, last) = (store.next_id(0)?, store.last_id()?);
    let is_empty = totals.values().all(|total| total.requests == 0);
    let is_sound = totals.values().all(|total| total.requests >= 0 && total.items >= 0 && total.bytes >= 0);
    if first.is_none() != is_empty || !is_sound || (first.is_none() && last != 0) {
        return Err(StoreError::Damaged("its sums do not fit its rows".to_owned()));
    }
    Ok(())
}

/// Renames a damaged file, and makes a new store of what can be read of it. Nobody may have the file open.
///
/// # Errors
/// The file can't be renamed, or the new one can't be made.
pub(crate) fn set_aside(path: &Path, config: &Config, why: String) -> Result<Opened, OpenError> {
    let failed = |why: String| OpenError::Store { path: path.to_owned(), why };
    let aside = free_name(path);
    fs::rename(path, &aside)
        .map_err(|error| failed(format!("it is damaged, and can't be renamed: {error}")))?;
    // The log belongs to it. There may be none.
    let _ = fs::rename(beside(path, "-wal"), beside(&aside, "-wal"));
    let _ = fs::remove_file(beside(path, "-shm"));
    match save(path, config, &aside) {
        Ok((store, totals, before)) => {
            Ok(Opened { store, totals, damage: Some(Damage { why, aside, before }) })
        }
        Err(error) => {
            // A part of the rows here and all of them in the other file would be counted twice.
            for end in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(beside(path, end));
            }
            let why = format!("it is damaged ({why}) and was renamed to {}, but {error}", aside.display());
            Err(failed(why))
        }
    }
}

/// Makes a store at `path` of what can be read of the damaged file. Returns also what that file says that it holds.
fn save(path: &Path, config: &Config, damaged: &Path) -> Result<(Store, Totals, Option<Totals>), StoreError> {
    let mut store = Store::open(path, config)?;
    let mut before = None;
    if let Ok(source) = Store::open_damaged(damaged) {
        before = source.totals().ok();
        if let Ok(off) = source.clock_off() {
            store.write(|write| write.set_clock_off(off))?;
        }
        copy(&source, &mut store)?;
    }
    let totals = store.totals()?;
    Ok((store, totals, before))
}

/// Copies every row that can be read and is whole. The tree of a damaged file may lead anywhere: back, or twice to the same
/// row.
fn copy(source: &Store, target: &mut Store) -> Result<(), StoreError> {
    let mut rows = Rows { target, read: BTreeMap::new(), bytes: 0 };
    let (mut after, mut jump) = (0, 1);
    while jump < FURTHEST {
        match source.next_id(after) {
            Ok(None) => break,
            Ok(Some(id)) if id > after => {
                if jump > 1 {
                    // The jumps may have passed rows that can be read.
                    let mut before = id;
                    while let Ok(Some(passed)) = source.previous_id(before)
                        && passed < before
                        && !rows.have(passed)?
                    {
                        rows.take(source.row(passed))?;
                        before = passed;
                    }
                    jump = 1;
                }
                rows.take(source.row(id))?;
                after = id;
            }
            Ok(Some(_)) | Err(_) => {
                after += jump;
                jump *= 2;
            }
        }
    }
    rows.write()
}

/// Rows on their way into a store.
struct Rows<'t> {
    target: &'t mut Store,
    read: BTreeMap<i64, Row>,
    bytes: u64,
}

impl Rows<'_> {
    /// Takes a row, if it could be read and is not there yet.
    fn take(&mut self, read: Result<Option<Row>, StoreError>) -> Result<(), StoreError> {
        let Ok(Some(row)) = read else { return Ok(()) };
        if !self.have(row.id)? {
            self.bytes += row.request.bytes();
            self.read.insert(row.id, row);
        }
        if self.bytes >= COPIED_AT_ONCE { self.write() } else { Ok(()) }
    }

    fn have(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.read.contains_key(&id) || self.target.has(id)?)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.read);
        self.bytes = 0;
        self.target.write(|write| rows.values().try_for_each(|row| write.append(row)))
    }
}

/// A name with the date that no file has.
fn free_name(path: &Path) -> PathBuf {
    let date = humantime::format_rfc3339_seconds(SystemTime::now());
    let name = beside(path, &format!(".damaged-{date}"));
    let others = (2..).map(|number| beside(&name, &format!("-{number}")));
    let mut names = std::iter::once(name.clone()).chain(others);
    names.find(|name| !name.exists()).unwrap_or(name)
}

/// The path with `end` behind its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
