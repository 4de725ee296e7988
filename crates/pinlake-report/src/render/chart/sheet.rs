//! A drawing under way: shapes of charts-rs with classes in place of colours, and text that is measured before it is written.
//!
//! charts-rs writes the SVG and escapes what is in it. Its ready-made charts put colours and fonts into every shape, which neither dark
//! mode nor the page's policy allows, so the layout is ours and the shapes are the library's (docs/adr/0012).

use std::fmt::Write as _;

use charts_rs::{
    Box as Edges, Canvas, Circle, Color, DEFAULT_FONT_FAMILY, Point, Polygon, Rect, Sector, StraightLine,
    Symbol, Text, measure_text_width_family,
};

/// The size of all text, in the drawing's units. The stylesheet has it too.
pub(super) const TEXT_SIZE: f32 = 13.0;
/// What a page's fonts may be wider than the one that is measured.
const WIDER: f32 = 1.08;

/// On which side of its place a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Area {
    pub(super) fn right(&self) -> f32 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f32 {
        self.top + self.height
    }
}

/// A part of a ring, in shares of the whole circle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) begin: f32,
    pub(super) share: f32,
    pub(super) radius: f32,
    pub(super) hole: f32,
}

/// What a drawing says to those who do not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) title: String,
    pub(super) description: String,
}

/// The drawing.
pub(super) struct Sheet {
    canvas: Canvas,
}

impl Sheet {
    pub(super) fn new(width: f32, height: f32) -> Self {
        let mut canvas = Canvas::new(width, height);
        canvas.margin = Edges::default();
        Self { canvas }
    }

    /// A bar or a cell; `title` is what a pointer that rests on it is told.
    pub(super) fn rect(&mut self, class: &str, area: Area, title: Option<String>) {
        let Area { left, top, width, height } = area;
        // No pointer rests on a phone.
        let title = title.filter(|_| self.canvas.width >= 400.0);
        let class = Some(class.to_owned());
        self.canvas.rect(Rect { left, top, width, height, class, title, ..Rect::default() });
    }

    /// A line of text whose middle is at the height `y`.
    pub(super) fn text(&mut self, class: &str, place: (f32, f32), anchor: Anchor, text: &str) {
        let text_anchor = match anchor {
            Anchor::Start => None,
            Anchor::Middle => Some("middle".to_owned()),
            Anchor::End => Some("end".to_owned()),
        };
        self.canvas.text(Text {
            text: text.to_owned(),
            x: Some(place.0),
            // Capitals are about seven tenths of the size.
            y: Some(place.1 + TEXT_SIZE * 0.35),
            text_anchor,
            class: Some(class.to_owned()),
            ..Text::default()
        });
    }

    /// A text that rises to its place, which is its end.
    pub(super) fn slanted(&mut self, class: &str, (x, y): (f32, f32), text: &str) {
        self.canvas.text(Text {
            text: text.to_owned(),
            x: Some(x),
            y: Some(y),
            transform: Some(format!("rotate(-40 {x:.1} {y:.1})")),
            text_anchor: Some("end".to_owned()),
            class: Some(class.to_owned()),
            ..Text::default()
        });
    }

    /// A line through points.
    pub(super) fn line(&mut self, class: &str, points: &[(f32, f32)]) {
        self.canvas.straight_line(StraightLine {
            points: points.iter().copied().map(Point::from).collect(),
            stroke_width: 1.0,
            symbol: Some(Symbol::None),
            class: Some(class.to_owned()),
            ..StraightLine::default()
        });
    }

    /// A filled outline.
    pub(super) fn outline(&mut self, class: &str, points: &[(f32, f32)]) {
        self.canvas.polygon(Polygon {
            points: points.iter().copied().map(Point::from).collect(),
            class: Some(class.to_owned()),
            ..Polygon::default()
        });
    }

    /// A single point, where a line would have no length.
    pub(super) fn dot(&mut self, class: &str, (cx, cy): (f32, f32)) {
        let class = Some(class.to_owned());
        self.canvas.circle(Circle {
            cx,
            cy,
            r: 3.0,
            stroke_color: None,
            fill: None,
            class,
            ..Circle::default()
        });
    }

    /// A part of a ring about a centre.
    pub(super) fn slice(&mut self, class: &str, (cx, cy): (f32, f32), slice: Slice, title: String) {
        self.canvas.sector(Sector {
            // The library gives every ring segment a fill; the class undoes this one.
            fill: Color::transparent().into(),
            cx,
            cy,
            r: slice.radius,
            ir: slice.hole,
            start_angle: slice.begin * 360.0,
            delta: slice.share * 360.0,
            class: Some(format!("{class} slice")),
            title: Some(title),
            ..Sector::default()
        });
    }

    /// The SVG element. `id` is its own on the page; `class` is one of the stylesheet.
    pub(super) fn finish(
        self,
        said: &Alternative,
        id: &str,
        class: &str,
    ) -> Result<String, charts_rs::Error> {
        let drawn = self.canvas.svg()?;
        // The library's root element has a fixed size and no name.
        let inside = drawn.split_once('>').map_or("", |(_, rest)| rest);
        let inside = inside.trim_end().strip_suffix("</svg>").unwrap_or(inside);
        let (width, height) = (self.canvas.width, self.canvas.height);
        let mut svg = String::with_capacity(inside.len() + 512);
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            "<svg class=\"{class}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             aria-labelledby=\"{id}-name\" aria-describedby=\"{id}-says\">\
             <title id=\"{id}-name\">{}</title><desc id=\"{id}-says\">{}</desc>",
            escaped(&said.title),
            escaped(&said.description)
        );
        // The library ends lines within text elements, which is white space that no reader needs.
        svg.extend(inside.lines());
        svg.push_str("</svg>");
        Ok(svg)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// How wide a text is at most.
pub(super) fn width_of(text: &str) -> f32 {
    let measured = measure_text_width_family(DEFAULT_FONT_FAMILY, TEXT_SIZE, text);
    measured.map_or_else(|_| text.chars().count() as f32 * TEXT_SIZE, |edges| edges.width()) * WIDER
}

/// The widest of some texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> f32 {
    texts.map(width_of).fold(0.0, f32::max)
}

/// The text, or as much of it as is no wider, with an ellipsis.
pub(super) fn fitted(text: &str, width: f32) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |length: usize| -> String {
        letters[..length].iter().collect::<String>().trim_end().to_owned() + "…"
    };
    // Widths grow with lengths, so the longest that fits is found by halving; text can be as long as a line of an export.
    let (mut fits, mut too_long) = (0, letters.len());
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        if width_of(&shortened(middle)) <= width { fits = middle } else { too_long = middle }
    }
    shortened(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_to_fit() {
        assert_eq!(fitted("EMAIL", 100.0), "EMAIL");
        let cut = fitted(&"long ".repeat(10_000), 80.0);
        assert!(cut.ends_with("long…") || cut.ends_with('…'), "{cut}");
        assert!(width_of(&cut) <= 80.0 && cut.chars().count() > 8, "{cut}");
        assert_eq!(fitted("anything", 1.0), "…");
    }

    #[test]
    fn text_stays_text() {
        let hostile = "</text></svg><script>alert(1)</script>]]>&\"'<!--";
        let mut sheet = Sheet::new(100.0, 100.0);
        let area = Area { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        sheet.rect("s0", area, Some(hostile.to_owned()));
        sheet.text("name", (0.0, 0.0), Anchor::End, hostile);
        let said = Alternative { title: hostile.to_owned(), description: hostile.to_owned() };
        let svg = sheet.finish(&said, "x", "wide").expect("is drawn");
        assert_eq!(svg.matches("<svg").count(), 1, "{svg}");
        assert_eq!(svg.matches("</svg>").count(), 1, "{svg}");
        assert!(!svg.contains("<script") && !svg.contains("]]>") && !svg.contains("<!--"), "{svg}");
        assert_eq!(svg.matches("&lt;script&gt;alert(1)").count(), 3, "{svg}");
        assert!(!svg.contains("style=") && !svg.contains('#'), "no style and no colour: {svg}");
    }
}
