//! How cells look. Colours are few and sober; what they say, words say too.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

const GREEN: Color = Color::RGB(0x002E_7D32);
const AMBER: Color = Color::RGB(0x009A_6700);
const RED: Color = Color::RGB(0x00B3_261E);
const GREY: Color = Color::RGB(0x0059_5959);
const PALE: Color = Color::RGB(0x00EE_F1F5);

/// The formats of a workbook, made once.
pub(super) struct Styles {
    pub(super) title: Format,
    pub(super) about: Format,
    pub(super) dim: Format,
    pub(super) bold: Format,
    /// A header above text, and above what stands to the right.
    pub(super) header: Format,
    pub(super) header_right: Format,
    pub(super) integer: Format,
    /// Numbers with a fraction: the usual ones, and those that fixed digits would show as nothing.
    pub(super) decimal: Format,
    pub(super) small: Format,
    pub(super) share: Format,
    pub(super) date: Format,
    pub(super) instant: Format,
    /// Text that stands for a number.
    pub(super) digits: Format,
    /// Text that would be read as a formula if somebody typed it; it stays text when its cell is edited too.
    pub(super) literal: Format,
    pub(super) held: Format,
    pub(super) warned: Format,
    pub(super) failed: Format,
    pub(super) link: Format,
}

impl Styles {
    pub(super) fn new() -> Self {
        let header =
            Format::new().set_bold().set_background_color(PALE).set_border_bottom(FormatBorder::Thin);
        // A step from the edge, or numbers run into the text of the next column.
        let right = |format: Format| format.set_align(FormatAlign::Right).set_indent(1);
        let number = |format: &str| right(Format::new().set_num_format(format));
        let coloured = |color| Format::new().set_font_color(color);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            about: Format::new().set_text_wrap().set_align(FormatAlign::Top).set_font_color(GREY),
            dim: coloured(GREY),
            bold: Format::new().set_bold(),
            header_right: right(header.clone()),
            header,
            integer: number("#,##0"),
            decimal: number("#,##0.00##"),
            small: number("0.0##E+00"),
            share: number("0.0%"),
            date: number("yyyy-mm-dd"),
            instant: number("yyyy-mm-dd hh:mm:ss"),
            digits: right(Format::new()),
            literal: Format::new().set_quote_prefix(),
            held: coloured(GREEN),
            warned: coloured(AMBER).set_bold(),
            failed: coloured(RED).set_bold(),
            link: Format::new().set_hyperlink(),
        }
    }
}
