//! The charts of the page, as SVG. The colours are readable on a light and on a dark page.

use std::error::Error;

use otel_tcpretrans_pipeline::record::RetransmitType;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use strum::IntoEnumIterator;

use super::collected::Collected;

/// Axes and their text: 4.5 times as dark as white, and as bright as black.
const INK: RGBColor = RGBColor(118, 118, 118);
const SIZE: (u32, u32) = (960, 280);
/// How many bars the timeline has at most.
const BARS: usize = 120;
/// How many connections the chart of round-trip times shows at most: those with the most segments.
const DOTS: usize = 500;

/// The colour of a reason. They are told apart by people who do not see red and green as different (Okabe and Ito).
fn colour(reason: RetransmitType) -> RGBColor {
    match reason {
        RetransmitType::Fast => RGBColor(86, 180, 233),
        RetransmitType::TailLossProbe => RGBColor(0, 114, 178),
        RetransmitType::Timeout => RGBColor(213, 94, 0),
        RetransmitType::Handshake => RGBColor(204, 121, 167),
        RetransmitType::Unknown => RGBColor(128, 128, 128),
    }
}

/// The colour of a reason, for the page.
pub(super) fn css(reason: RetransmitType) -> String {
    let RGBColor(red, green, blue) = colour(reason);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Segments per second over time, stacked by reason.
pub(super) fn timeline(collected: &Collected) -> String {
    let (step, timeline) = collected.timeline(BARS);
    let per_second = |segments: u64| segments as f64 / step;
    let highest = timeline.iter().map(|segments| per_second(segments.iter().sum())).fold(1.0, f64::max);
    let length = step * timeline.len() as f64;
    drawn("Segments sent again per second", |root| {
        let mut chart = ChartBuilder::on(root)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..length, 0.0..highest * 1.05)?;
        mesh(&mut chart, "seconds since the first", "segments per second")?;
        for (index, segments) in timeline.iter().enumerate() {
            let left = index as f64 * step;
            let mut below = 0.0;
            for (segments, reason) in segments.iter().zip(RetransmitType::iter()) {
                let top = below + per_second(*segments);
                if top > below {
                    let corners = [(left, below), (left + step * 0.9, top)];
                    chart.draw_series([Rectangle::new(corners, colour(reason).filled())])?;
                }
                below = top;
            }
        }
        Ok(())
    })
}

/// Each connection's mean round-trip time and its segments, both on logarithmic axes.
pub(super) fn rtt(collected: &Collected) -> String {
    let known = collected.connections.values().filter_map(|sums| {
        let segments = sums.amounts.segments;
        (segments > 0).then_some(((sums.mean_rtt()? * 1e3).max(0.001), segments as f64, sums.main_reason()))
    });
    let mut dots: Vec<_> = known.collect();
    dots.sort_by(|a, b| b.1.total_cmp(&a.1));
    dots.truncate(DOTS);
    let ends = |of: fn(&(f64, f64, RetransmitType)) -> f64| {
        let (low, high) = dots
            .iter()
            .map(of)
            .fold((f64::MAX, 0.0), |(low, high), it| (f64::min(low, it), f64::max(high, it)));
        // Whole powers of ten, so that the axis has labels.
        let power = |of: f64| 10.0_f64.powf(of);
        if high > 0.0 { power(low.log10().floor())..power((high * 1.01).log10().ceil()) } else { 0.1..10.0 }
    };
    drawn("Round-trip time against segments sent again", |root| {
        let mut chart = ChartBuilder::on(root)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(ends(|dot| dot.0).log_scale(), ends(|dot| dot.1).log_scale())?;
        mesh(&mut chart, "mean RTT, ms", "segments")?;
        let dot = |(rtt, segments, reason): &(f64, f64, RetransmitType)| {
            Circle::new((*rtt, *segments), 4, colour(*reason).filled())
        };
        chart.draw_series(dots.iter().map(dot))?;
        Ok(())
    })
}

/// A number on an axis: rounded, since steps such as 0.1 are no exact numbers.
pub(super) fn label(value: f64) -> String {
    let rounded = format!("{value:.3}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

type Root<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws a chart. What can't be drawn, such as axes of numbers that are no numbers, is left out of the page, and the page
/// says so.
fn drawn(title: &str, draw: impl FnOnce(&Root<'_>) -> Result<(), Box<dyn Error>>) -> String {
    let mut svg = String::new();
    let result = {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&root).and_then(|()| Ok(root.present()?))
    };
    match result {
        Ok(()) => svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{title}\" "), 1),
        Err(_) => format!("<p>The chart can't be drawn: {title}.</p>"),
    }
}

fn mesh<X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    x: &str,
    y: &str,
) -> Result<(), Box<dyn Error>>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let text = ("sans-serif", 13).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.25))
        .axis_style(INK)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|value| label(*value))
        .y_label_formatter(&|value| label(*value))
        .draw()?;
    Ok(())
}
