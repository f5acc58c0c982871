//! The results of the benches, as a table for people and in one JSON file for machines.
//!
//! Each bench has a section of the file and replaces only that, so that each of them can be run again by itself. A
//! bound is printed beside the measured value. A bench does not fail because of it, since a slow or busy machine is no
//! error.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// All results: the content of the file.
#[derive(Default, Serialize, Deserialize)]
pub struct Report {
    sections: BTreeMap<String, Section>,
}

/// The results of one bench, and the machine that they are from.
#[derive(Serialize, Deserialize)]
pub struct Section {
    title: String,
    kernel: String,
    cpu: String,
    cpus: usize,
    unix_time: u64,
    /// Names of the values in `Row::beside`.
    columns: Vec<String>,
    rows: Vec<Row>,
    bounds: Vec<Bound>,
}

/// A quantity that was measured several times.
#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    unit: String,
    median: f64,
    min: f64,
    max: f64,
    samples: usize,
    /// Values that follow from it, one per column of the section.
    beside: Vec<Option<f64>>,
}

/// A bound that a measured value should keep.
#[derive(Serialize, Deserialize)]
struct Bound {
    name: String,
    measured: f64,
    limit: Limit,
    unit: String,
    holds: bool,
}

/// On which side of the bound the value should be.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)] // some benches use only one of them
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Section {
    pub fn new(title: &str, columns: &[&str]) -> Section {
        Section {
            title: title.to_owned(),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            cpu: cpu_model(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            unix_time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            bounds: Vec::new(),
        }
    }

    /// Adds a quantity by its samples, at least one.
    pub fn row(&mut self, name: &str, unit: &str, samples: &[f64], beside: &[Option<f64>]) {
        self.rows.push(Row {
            name: name.to_owned(),
            unit: unit.to_owned(),
            median: median(samples),
            min: samples.iter().copied().fold(f64::INFINITY, f64::min),
            max: samples.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            samples: samples.len(),
            beside: beside.to_vec(),
        });
    }

    #[allow(dead_code)] // some benches have no bound
    pub fn bound(&mut self, name: &str, measured: f64, limit: Limit, unit: &str) {
        let holds = match limit {
            Limit::AtMost(limit) => measured <= limit,
            Limit::AtLeast(limit) => measured >= limit,
        };
        self.bounds.push(Bound { name: name.to_owned(), measured, limit, unit: unit.to_owned(), holds });
    }

    /// Prints the section, and writes it to the file in place of the earlier section of this bench.
    pub fn finish(self, bench: &str) -> io::Result<()> {
        self.print();
        let path = path();
        let mut report = Report::read(&path)?;
        report.sections.insert(bench.to_owned(), self);
        fs::write(&path, serde_json::to_string_pretty(&report)? + "\n")?;
        println!("written to {}", path.display());
        Ok(())
    }

    fn print(&self) {
        println!("\n{}\n({} on {} CPUs, Linux {})\n", self.title, self.cpu, self.cpus, self.kernel);
        print!("{:<50}{:>10}{:>10}{:>10}  {:<9}", "", "median", "min", "max", "unit");
        self.columns.iter().for_each(|name| print!("{name:>22}"));
        println!();
        for row in &self.rows {
            let [median, min, max] = [row.median, row.min, row.max].map(number);
            print!("{:<50}{median:>10}{min:>10}{max:>10}  {:<9}", row.name, row.unit);
            row.beside.iter().for_each(|value| print!("{:>22}", value.map(number).unwrap_or_default()));
            println!();
        }
        if !self.bounds.is_empty() {
            println!("\n{:<60}{:>10}   must hold", "", "measured");
        }
        for bound in &self.bounds {
            let (sign, limit) = match bound.limit {
                Limit::AtMost(limit) => ("<=", limit),
                Limit::AtLeast(limit) => (">=", limit),
            };
            let verdict = if bound.holds { "" } else { "   DOES NOT HOLD" };
            let (measured, limit) = (number(bound.measured), number(limit));
            println!("{:<60}{measured:>10}   {sign} {limit} {}{verdict}", bound.name, bound.unit);
        }
    }
}

impl Report {
    fn read(path: &Path) -> io::Result<Report> {
        match fs::read_to_string(path) {
            // A file of an older form is replaced.
            Ok(text) => Ok(serde_json::from_str(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Report::default()),
            Err(error) => Err(error),
        }
    }

    /// Prints all sections of the file.
    #[allow(dead_code)] // only `table` uses it
    pub fn print() -> io::Result<()> {
        let path = path();
        Report::read(&path)?.sections.values().for_each(Section::print);
        println!("\nall of it: {}", path.display());
        Ok(())
    }
}

/// `BENCH_JSON`, or bench.json in Cargo's target folder.
fn path() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("."));
    std::env::var_os("BENCH_JSON").map_or_else(|| target.join("bench.json"), PathBuf::from)
}

pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// A number with as many decimals as are useful.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// The model, which only x86 has in this form, or else the architecture.
fn cpu_model() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}
