//! What the terminal can show: colours, and characters beyond ASCII.

use ratatui::style::{Color, Modifier, Style};

/// How the screen looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The terminal shows UTF-8.
    pub unicode: bool,
    /// Colours are wanted.
    pub colours: bool,
}

impl Look {
    /// What the environment says: NO_COLOR (<https://no-color.org>), and the character set of the locale.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Look {
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        // The first that is set wins (POSIX, section 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
        let charset = locale.to_ascii_lowercase().replace('-', "");
        Look { unicode: charset.contains("utf8"), colours: set(&"NO_COLOR").is_none() }
    }

    /// The bar of a value from 0 to `largest`.
    pub(crate) fn bar(self, value: u64, largest: u64) -> char {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];
        let steps = BLOCKS.len() as u64 - 1;
        let step = (value * steps).div_ceil(largest.max(1)).min(steps) as usize;
        if self.unicode { BLOCKS[step] } else { ASCII[step] }
    }

    /// What stands for the rest of a text that is cut off.
    pub(crate) fn ellipsis(self) -> char {
        if self.unicode { '…' } else { '~' }
    }

    /// The names of the columns, and the selected row.
    pub(crate) fn reversed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What stands out.
    pub(crate) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is as it should be.
    pub(crate) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    /// What needs attention.
    pub(crate) fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Bars.
    pub(crate) fn bars(self) -> Style {
        self.coloured(Color::Cyan)
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)]) -> (bool, bool) {
        let found = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let Look { unicode, colours } = Look::of(found);
        (unicode, colours)
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(look(&[]), (false, true));
        assert_eq!(look(&[("LANG", "en_US.UTF-8")]), (true, true));
        assert_eq!(look(&[("LANG", "de_DE.utf8"), ("LC_ALL", "")]), (true, true));
        assert_eq!(look(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C"), ("NO_COLOR", "1")]), (false, false));
        assert_eq!(look(&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C"), ("NO_COLOR", "")]), (true, true));
    }

    #[test]
    fn a_bar_is_as_high_as_its_value() {
        let look = Look { unicode: true, colours: false };
        let bars: String = [0, 1, 50, 99, 100].map(|value| look.bar(value, 100)).iter().collect();
        assert_eq!(bars, " ▁▄██");
        assert_eq!(look.bar(0, 0), ' ');
        assert!(Look { unicode: false, ..look }.bar(7, 9).is_ascii());
    }
}
