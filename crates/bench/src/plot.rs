//! Plots as SVG, readable on a light page and on a dark one.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 100.0;
const TOP: f64 = 58.0;
const BOTTOM: f64 = 46.0;

/// Text and colours. Images cannot see the page's, but whether the reader prefers a dark one.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#6e7781}.title{font-size:14px;font-weight:600}.end{text-anchor:end}\
.middle{text-anchor:middle}.a{fill:#0969da;stroke:#0969da}.b{fill:#bc4c00;stroke:#bc4c00}.c{fill:#1a7f37;stroke:#1a7f37}\
.d{fill:#8250df;stroke:#8250df}.line{fill:none;stroke-width:2}.axis{stroke:#8c959f;stroke-width:1}\
.mark{stroke:#cf222e;stroke-width:1;stroke-dasharray:5 3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.a{fill:#58a6ff;stroke:#58a6ff}.b{fill:#f0883e;stroke:#f0883e}\
.c{fill:#3fb950;stroke:#3fb950}.d{fill:#bc8cff;stroke:#bc8cff}.axis{stroke:#6e7681}.mark{stroke:#ff7b72}}";

const COLOURS: [&str; 4] = ["a", "b", "c", "d"];

/// Bars that lie, one below the other.
#[derive(Debug)]
pub struct Bars {
    /// Above the plot.
    pub title: String,
    /// What the colours mean, if there are several.
    pub legend: Vec<&'static str>,
    /// A name, and a value for each colour.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
    /// Digits after the point.
    pub digits: usize,
    /// A value that is aimed at.
    pub mark: Option<f64>,
}

impl Bars {
    /// The picture.
    pub fn svg(&self) -> String {
        const BAR: f64 = 13.0;
        const GAP: f64 = 8.0;
        let bars = self.rows.iter().map(|(_, values)| values.len());
        let rows = count(self.rows.len());
        let height = TOP + count(bars.sum()) * BAR + rows * GAP + 14.0;
        let values = self.rows.iter().flat_map(|(_, values)| values).flatten();
        let most = values.copied().chain(self.mark).fold(0.0, f64::max);
        let width = |value: f64| (WIDTH - LEFT - RIGHT) * value / most;
        let mut svg = Svg::new(height, &self.title, &self.legend);
        let mut y = TOP;
        for (name, values) in &self.rows {
            let middle = y + count(values.len()) * BAR / 2.0 + 4.0;
            svg.text(LEFT - 8.0, middle, "end", name);
            for (value, colour) in values.iter().zip(COLOURS) {
                if let Some(value) = value {
                    let width = width(*value).max(1.0);
                    svg.element(&format!(
                        r#"<rect class="{colour}" x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{:.1}"/>"#,
                        BAR - 2.0
                    ));
                    let label = format!("{value:.*}", self.digits);
                    svg.text(LEFT + width + 5.0, y + BAR - 3.5, "", &label);
                }
                y += BAR;
            }
            y += GAP;
        }
        svg.line("axis", (LEFT, TOP - 4.0), (LEFT, y));
        if let Some(mark) = self.mark {
            let x = LEFT + width(mark);
            svg.line("mark", (x, TOP - 4.0), (x, y));
        }
        svg.end()
    }
}

/// Lines over one axis.
#[derive(Debug)]
pub struct Lines {
    /// Above the plot.
    pub title: String,
    /// What the axis below says.
    pub below: &'static str,
    /// Whether the axis below is one of powers of ten.
    pub powers: bool,
    /// Names, and points from left to right.
    pub series: Vec<(&'static str, Vec<(f64, f64)>)>,
    /// A value that is aimed at.
    pub mark: Option<f64>,
}

impl Lines {
    /// The picture.
    pub fn svg(&self) -> String {
        const HEIGHT: f64 = 320.0;
        const START: f64 = 70.0;
        const END: f64 = WIDTH - 40.0;
        let points = || self.series.iter().flat_map(|(_, points)| points);
        let high = points().map(|point| point.1).chain(self.mark);
        let high = round_above(high.fold(0.0, f64::max));
        let wide = points().map(|point| point.0).fold(1.0, f64::max);
        let x = |value: f64| {
            let share = if self.powers {
                value.log10() / wide.log10()
            } else {
                value / wide
            };
            START + (END - START) * share
        };
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / high;
        let names: Vec<_> = self.series.iter().map(|(name, _)| *name).collect();
        let mut svg = Svg::new(HEIGHT, &self.title, &names);
        svg.line("axis", (START, y(0.0)), (END, y(0.0)));
        svg.line("axis", (START, y(0.0)), (START, y(high)));
        for step in 0..=4 {
            let value = high * f64::from(step) / 4.0;
            svg.text(START - 6.0, y(value) + 4.0, "end", &short(value));
        }
        for at in ticks(wide, self.powers) {
            svg.text(x(at), y(0.0) + 16.0, "middle", &short(at));
        }
        svg.text(
            f64::midpoint(START, END),
            HEIGHT - 8.0,
            "middle",
            self.below,
        );
        for ((_, points), colour) in self.series.iter().zip(COLOURS) {
            let points = points.iter().fold(String::new(), |mut text, point| {
                let _ = write!(text, "{:.1},{:.1} ", x(point.0), y(point.1));
                text
            });
            svg.element(&format!(
                r#"<polyline class="{colour} line" style="fill:none" points="{}"/>"#,
                points.trim_end()
            ));
        }
        if let Some(mark) = self.mark {
            svg.line("mark", (START, y(mark)), (END, y(mark)));
        }
        svg.end()
    }
}

/// Where the axis below has numbers.
fn ticks(wide: f64, powers: bool) -> Vec<f64> {
    if powers {
        let powers = (0..=9).map(|power| 10_f64.powi(power));
        powers.take_while(|at| *at <= wide * 1.001).collect()
    } else {
        (0..=4).map(|step| wide * f64::from(step) / 4.0).collect()
    }
}

/// The next value that looks well at the end of an axis.
fn round_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0];
    let above = steps.iter().find(|step| *step * power >= value);
    above.map_or(value, |step| step * power)
}

/// As few characters as say it.
fn short(value: f64) -> String {
    if value >= 1000.0 {
        let thousands = format!("{:.1}", value / 1000.0);
        format!("{}k", thousands.trim_end_matches(".0"))
    } else {
        let text = format!("{value:.1}");
        text.trim_end_matches(".0").to_owned()
    }
}

struct Svg(String);

impl Svg {
    fn new(height: f64, title: &str, legend: &[&str]) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">\n<style>{STYLE}</style>\n"
        ));
        svg.element(&format!("<title>{}</title>", escaped(title)));
        svg.text(8.0, 20.0, "title", title);
        let mut x = 8.0;
        for (name, colour) in legend.iter().zip(COLOURS) {
            svg.element(&format!(
                r#"<rect class="{colour}" x="{x:.1}" y="31" width="10" height="10"/>"#
            ));
            svg.text(x + 15.0, 40.0, "", name);
            x += 32.0 + 6.6 * count(name.chars().count());
        }
        svg
    }

    fn element(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escaped(text);
        self.element(&format!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
        ));
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.element(&format!(
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

fn count(number: usize) -> f64 {
    crate::measure::float(number)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_say_and_names_are_escaped() {
        let svg = Bars {
            title: "a < b".into(),
            legend: vec![],
            rows: vec![
                ("one".into(), vec![Some(1.0)]),
                ("two".into(), vec![Some(2.0), None]),
            ],
            digits: 1,
            mark: None,
        }
        .svg();
        let widths: Vec<f64> = svg
            .lines()
            .filter(|line| line.starts_with("<rect"))
            .filter_map(|line| {
                line.split("width=\"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .parse()
                    .ok()
            })
            .collect();
        assert_eq!(widths, [225.0, 450.0]);
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"), "{svg}");
    }

    #[test]
    fn an_axis_ends_at_a_round_value_that_is_not_exceeded() {
        for (value, expected) in [(0.9, 1.0), (1.3, 1.6), (42.0, 50.0), (1000.0, 1000.0)] {
            assert!((round_above(value) - expected).abs() < 1e-9, "{value}");
        }
        assert_eq!(ticks(1000.0, true), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(
            [short(0.5), short(1500.0), short(20.0)],
            ["0.5", "1.5k", "20"]
        );
    }
}
