//! The commands and options of the command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueHint, value_parser};
use clap_complete::Shell;

use otel_tcpretrans_exporters::zpages;
use otel_tcpretrans_pipeline::attribute::UnknownAttribute;
use otel_tcpretrans_pipeline::config::Interval;
use otel_tcpretrans_pipeline::processors::{Condition, FilterConfig, ProcessorConfig};
use otel_tcpretrans_source::config::Scope;
use otel_tcpretrans_terminal::colours::Colours;
use otel_tcpretrans_terminal::report::Format;
use otel_tcpretrans_terminal::{top, trace};
use strum::VariantNames;

use crate::config::LogFormat;

/// TCP retransmissions as OpenTelemetry metrics and logs, counted as the kernel counts them.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 failure while running, 2 usage, 77 missing privilege or kernel feature, 78 configuration";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the pipelines until SIGTERM or SIGINT
    Run {
        #[command(flatten)]
        sources: Sources,
        /// Format of the log on stderr, in place of service.telemetry.logs.format
        #[arg(long, value_name = "FORMAT")]
        log_format: Option<LogFormat>,
    },
    /// Check a configuration without touching the kernel or the network
    Validate {
        #[command(flatten)]
        sources: Sources,
    },
    /// Print the merged configuration with defaults filled in and secrets masked
    PrintConfig {
        #[command(flatten)]
        sources: Sources,
    },
    /// Show each retransmission as a line, as bcc's tcpretrans does, until SIGTERM or SIGINT
    Trace(TraceArgs),
    /// Make a page or a text of a recording: over time, by reason, the worst peers, processes and connections
    Report(ReportArgs),
    /// Record a tcpretrans receiver's raw events until SIGTERM or SIGINT; the receiver replay reads them
    Record(RecordArgs),
    /// Show the worst peers, processes and connections on a screen that follows them
    Top(TopArgs),
    /// List receivers, processors, exporters and extensions
    Components,
    /// Print what this kernel and this user offer, what is missing, and what to do about it
    Check(CheckArgs),
    /// Print a script with which a shell completes the command line, such as `source <(otel-tcpretrans completions bash)`
    Completions {
        /// The shell that reads the script
        shell: Shell,
    },
    /// Print the manual page, as in `otel-tcpretrans man | man -l -`
    Man {
        /// Write the pages of all commands and of the configuration into this folder instead
        #[arg(short, long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
}

/// The sources of the configuration. Environment variables OTEL_TCPRETRANS__A__B win over files, and `--set` over both.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sources {
    /// Configuration file; if there are several, later ones win
    #[arg(long = "config", value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<String>,
    /// Set one value, in YAML, such as exporters.otlp.endpoint=http://collector:4317; it wins over all files
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    pub(crate) sets: Vec<String>,
}

/// The options of `check`. Without one, it prints text on a terminal, and YAML into a pipe or a file.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Print all facts and the receiver's plan as YAML
    #[arg(long, conflicts_with = "text")]
    pub(crate) yaml: bool,
    /// Print the text for people
    #[arg(long)]
    pub(crate) text: bool,
}

/// The options of `record`.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// File to write the recording to
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Stop after this time, such as 10s or 5m
    #[arg(long, value_name = "TIME")]
    pub(crate) duration: Option<Interval>,
    /// Configuration file with the tcpretrans receiver to record; without it, all defaults are used
    #[arg(long = "config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<String>,
    /// Set one value, in YAML; it wins over all files
    #[arg(long = "set", value_name = "KEY.PATH=VALUE", requires = "files")]
    pub(crate) sets: Vec<String>,
    /// Format of the log on stderr, in place of service.telemetry.logs.format
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

/// The options of `top`.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) shown: Shown,
    /// The rows that are shown first
    #[arg(long, value_parser = one_of::<top::By>(top::By::VARIANTS), default_value = "peer")]
    pub(crate) by: top::By,
    /// The largest number of rows of each kind; those with the fewest segments are added up in one row of the others
    #[arg(long, value_name = "ROWS", default_value_t = 4096, value_parser = value_parser!(u32).range(1..))]
    pub(crate) max_rows: u32,
}

/// The options of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) shown: Shown,
    /// Write one JSON object per line, with the names of the log records' attributes
    #[arg(long, conflicts_with_all = ["color", "summary"])]
    pub(crate) json: bool,
    /// Stop after this many lines
    #[arg(long, value_name = "LINES", value_parser = value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Stop after this time, such as 10s or 5m
    #[arg(long, value_name = "TIME")]
    pub(crate) duration: Option<Interval>,
    /// At the end, add up by this, and show the kernel's RetransSegs beside it
    #[arg(long, value_name = "BY", value_parser = one_of::<trace::By>(trace::By::VARIANTS))]
    pub(crate) summary: Option<trace::By>,
    /// When to use colours; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", value_parser = one_of::<Colours>(Colours::VARIANTS), default_value = "auto")]
    pub(crate) color: Colours,
}

/// The options of `report`. It writes to the standard output.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// A recording of `record`
    #[arg(value_name = "RECORDING", value_hint = ValueHint::FilePath)]
    pub(crate) recording: PathBuf,
    /// Only what matches, such as 'network.peer.address in 10.0.0.0/8'; of several conditions one has to match
    #[arg(value_name = "CONDITION", value_parser = condition)]
    pub(crate) conditions: Vec<Condition>,
    /// A page for a browser that needs no other file, or text for a ticket
    #[arg(long, value_parser = one_of::<Format>(Format::VARIANTS), default_value = "html")]
    pub(crate) format: Format,
}

/// Which retransmissions a command shows to a person.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Show only what matches, such as 'network.peer.address in 10.0.0.0/8'; of several conditions one has to match
    #[arg(value_name = "CONDITION", value_parser = condition)]
    pub(crate) conditions: Vec<Condition>,
    /// Show a recording of `record` in place of what happens now
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) replay: Option<PathBuf>,
    /// Show what a pipeline of a running agent carries, from the agent's zpages, such as localhost:55679
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "replay", value_hint = ValueHint::Hostname)]
    pub(crate) connect: Option<zpages::Address>,
    /// The agent's pipeline; without it, the first logs pipeline, or else the first metrics pipeline
    #[arg(long, value_name = "ID", requires = "connect")]
    pub(crate) pipeline: Option<String>,
    /// Whose sockets: all of this host, or those of this process's network namespace or cgroup
    #[arg(long, value_parser = one_of::<Scope>(Scope::VARIANTS), default_value = "host", conflicts_with_all = ["replay", "connect"])]
    pub(crate) scope: Scope,
}

impl Shown {
    /// Whether it shows what the kernel of this host does now.
    pub(crate) fn is_live(&self) -> bool {
        self.replay.is_none() && self.connect.is_none()
    }
}

/// Reads a word of a fixed list.
fn one_of<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Reads a condition on what receivers say. These commands have no processors that would find more.
fn condition(written: &str) -> Result<Condition, String> {
    let condition: Condition = written.parse().map_err(|error| format!("{error}"))?;
    let filter = FilterConfig { include: vec![condition.clone()], ..FilterConfig::default() };
    match ProcessorConfig::Filter(filter).asks().first() {
        Some(ask) => Err(format!("{}{}", ask.before, UnknownAttribute::among(ask.name, &[]))),
        None => Ok(condition),
    }
}
