//! Colours: whether a terminal gets them, and which one each reason has.

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use otel_tcpretrans_pipeline::record::RetransmitType;
use strum::{EnumString, VariantNames};

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Colours {
    /// On a terminal that has them, unless `NO_COLOR` is set (<https://no-color.org>). `CLICOLOR_FORCE` asks for them
    /// elsewhere, too.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colours {
    /// Whether the standard output gets colours.
    pub fn on_stdout(self) -> bool {
        match self {
            Colours::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            Colours::Always => true,
            Colours::Never => false,
        }
    }
}

/// The style of a reason. What delays a connection most is red.
pub fn of_reason(reason: RetransmitType) -> Style {
    let colour = match reason {
        RetransmitType::Fast => AnsiColor::Cyan,
        RetransmitType::TailLossProbe => AnsiColor::Blue,
        RetransmitType::Timeout => AnsiColor::Red,
        RetransmitType::Handshake => AnsiColor::Magenta,
        RetransmitType::Unknown => AnsiColor::Yellow,
    };
    colour.on_default()
}
