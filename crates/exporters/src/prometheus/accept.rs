//! Which format a scraper wants, by its `Accept` header (RFC 9110, section 12.5.1).

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus's text format, version 0.0.4.
    Text,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The content type of a page.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that a header prefers. Text if it names neither.
    pub(super) fn preferred(accept: &str) -> Format {
        let mut weights = [(Format::Text, 0.0), (Format::OpenMetrics, 0.0)];
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => 1,
                "text/plain" | "text/*" | "*/*" => 0,
                _ => continue,
            };
            let parameters: Vec<&str> = parts.collect();
            let value = |name: &str| {
                let pairs = parameters.iter().filter_map(|parameter| parameter.split_once('='));
                pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name)
            };
            // The other version, 0.0.1, is a draft that differs.
            if format == 1 && value("version").is_some_and(|(_, version)| version != "1.0.0") {
                continue;
            }
            let weight: f64 = value("q").map_or(1.0, |(_, q)| q.parse().unwrap_or(0.0));
            weights[format].1 = weight.max(weights[format].1);
        }
        let [(_, text), (_, open)] = weights;
        if open > 0.0 && open >= text { Format::OpenMetrics } else { Format::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_with_the_largest_weight_wins() {
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html, application/xhtml+xml", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0, text/plain", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0;q=0.4, text/plain;version=0.0.4;q=0.5",
                Format::Text,
            ),
            // Prometheus 3
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.1",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::preferred(accept), expected, "{accept}");
        }
    }
}
