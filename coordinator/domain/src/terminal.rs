//! A line that a program wrote for a terminal, taken apart: its text, how the text looks, where it leads.
//!
//! Colours and emphasis are kept, a carriage return begins the line again, links lead to `http` and `https` alone, and
//! every other control is dropped. Characters that turn the direction of text are named, not obeyed: what a reader
//! sees is in the order in which it was written.

use std::sync::Arc;

use pointsman_shared::readable;
use vte::{Params, Parser, Perform};

/// Pieces of one line at most; what follows them looks like the last one.
const MOST_PIECES: usize = 200;
/// Length of a link at most.
const LONGEST_LINK: usize = 2048;

/// One of the sixteen colours of a terminal; others are taken for the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(u8);

impl Colour {
    /// Its number, from 0 to 15.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// One of the 256 colours.
    fn of_256(number: u16) -> Self {
        match u8::try_from(number).unwrap_or(7) {
            number @ 0..16 => Self(number),
            number @ 16..232 => {
                let place = number - 16;
                let level = |at: u8| [0, 95, 135, 175, 215, 255][usize::from(at % 6)];
                Self::of_rgb(level(place / 36), level(place / 6), level(place))
            }
            number @ 232.. => {
                let grey = 8 + (number - 232) * 10;
                Self::of_rgb(grey, grey, grey)
            }
        }
    }

    /// The nearest of the sixteen: by hue where there is one, else by brightness.
    fn of_rgb(red: u8, green: u8, blue: u8) -> Self {
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        if most - least < 40 {
            return Self(match most {
                0..64 => 0,
                64..144 => 8,
                144..208 => 7,
                208.. => 15,
            });
        }
        let middle = least + (most - least) / 2;
        let bit = |part: u8, bit: u8| if part > middle { bit } else { 0 };
        let hue = bit(red, 1) | bit(green, 2) | bit(blue, 4);
        Self(if most > 208 { hue + 8 } else { hue })
    }
}

/// What else a stretch of text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Emphasis {
    /// Heavy.
    Bold = 1,
    /// Faint.
    Dim = 2,
    /// Slanted.
    Italic = 4,
    /// Underlined.
    Underline = 8,
    /// Struck through.
    Struck = 16,
    /// Text and ground exchanged.
    Inverse = 32,
}

impl Emphasis {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Bold,
        Self::Dim,
        Self::Italic,
        Self::Underline,
        Self::Struck,
        Self::Inverse,
    ];
}

/// How a stretch of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The colour of the text.
    pub fore: Option<Colour>,
    /// The colour behind it.
    pub back: Option<Colour>,
    emphases: u8,
}

impl Style {
    /// Whether it has an emphasis.
    pub const fn has(self, emphasis: Emphasis) -> bool {
        self.emphases & emphasis as u8 != 0
    }

    const fn set(&mut self, emphasis: Emphasis) {
        self.emphases |= emphasis as u8;
    }

    const fn unset(&mut self, emphases: u8) {
        self.emphases &= !emphases;
    }
}

/// A stretch of text that looks the same throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text, without controls.
    pub text: String,
    /// How it looks.
    pub style: Style,
    /// Where it leads.
    pub link: Option<Arc<str>>,
}

/// Takes a line apart.
pub fn pieces(text: &str) -> Vec<Piece> {
    if is_plain(text) {
        let style = Style::default();
        let piece = Piece {
            text: text.to_owned(),
            style,
            link: None,
        };
        return if text.is_empty() { Vec::new() } else { vec![piece] };
    }
    let mut screen = Screen::default();
    Parser::new().advance(&mut screen, text.as_bytes());
    screen.pieces
}

/// Whether there is nothing in it to be taken apart: most lines are plain.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Its text alone.
pub fn plain(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    pieces(text).into_iter().map(|piece| piece.text).collect()
}

#[derive(Default)]
struct Screen {
    pieces: Vec<Piece>,
    style: Style,
    link: Option<Arc<str>>,
    /// A carriage return was read: the next character begins the line again.
    returned: bool,
}

impl Screen {
    fn write(&mut self, shown: impl Iterator<Item = char>) {
        if std::mem::take(&mut self.returned) {
            self.pieces.clear();
        }
        let full = self.pieces.len() >= MOST_PIECES;
        let same = |last: &&mut Piece| full || (last.style == self.style && last.link == self.link);
        if let Some(last) = self.pieces.last_mut().filter(same) {
            last.text.extend(shown);
            return;
        }
        self.pieces.push(Piece {
            text: shown.collect(),
            style: self.style,
            link: self.link.clone(),
        });
    }

    fn dress(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(param) = params.next() {
            let style = &mut self.style;
            match *param.first().unwrap_or(&0) {
                0 => *style = Style::default(),
                1 => style.set(Emphasis::Bold),
                2 => style.set(Emphasis::Dim),
                3 => style.set(Emphasis::Italic),
                4 if param.get(1) == Some(&0) => style.unset(Emphasis::Underline as u8),
                4 | 21 => style.set(Emphasis::Underline),
                7 => style.set(Emphasis::Inverse),
                9 => style.set(Emphasis::Struck),
                22 => style.unset(Emphasis::Bold as u8 | Emphasis::Dim as u8),
                23 => style.unset(Emphasis::Italic as u8),
                24 => style.unset(Emphasis::Underline as u8),
                27 => style.unset(Emphasis::Inverse as u8),
                29 => style.unset(Emphasis::Struck as u8),
                code @ 30..38 => style.fore = Some(Colour::of_256(code - 30)),
                38 => style.fore = extended(param, &mut params).or(style.fore),
                39 => style.fore = None,
                code @ 40..48 => style.back = Some(Colour::of_256(code - 40)),
                48 => style.back = extended(param, &mut params).or(style.back),
                49 => style.back = None,
                code @ 90..98 => style.fore = Some(Colour::of_256(code - 82)),
                code @ 100..108 => style.back = Some(Colour::of_256(code - 92)),
                _ => {}
            }
        }
    }
}

/// `38;5;n` and `38;2;r;g;b`, or the same with colons.
fn extended<'a>(param: &[u16], rest: &mut impl Iterator<Item = &'a [u16]>) -> Option<Colour> {
    let own = param.get(1..).unwrap_or_default();
    let byte = |part: u16| u8::try_from(part).unwrap_or(u8::MAX);
    if let Some((how, parts)) = own.split_first() {
        return match (how, parts) {
            (5, [number, ..]) => Some(Colour::of_256(*number)),
            // With colons a colour space may stand before the three.
            (2, [.., red, green, blue]) => Some(Colour::of_rgb(byte(*red), byte(*green), byte(*blue))),
            _ => None,
        };
    }
    let mut next = || rest.next().and_then(|part| part.first()).copied();
    match next()? {
        5 => next().map(Colour::of_256),
        2 => Some(Colour::of_rgb(byte(next()?), byte(next()?), byte(next()?))),
        _ => None,
    }
}

/// Characters that turn the direction of text, or end a line where none ends.
const fn is_unruly(c: char) -> bool {
    readable::is_turning(c) || readable::is_mark(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        if is_unruly(c) {
            let named = format!("[U+{:04X}]", u32::from(c));
            self.write(named.chars());
        } else if !c.is_control() {
            self.write(std::iter::once(c));
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.returned = true,
            b'\t' => self.write(std::iter::once('\t')),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if action == 'm' && intermediates.is_empty() && !ignore {
            self.dress(params);
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell_terminated: bool) {
        let [b"8", _, address @ ..] = params else { return };
        let address = address.join(&b';');
        let address = std::str::from_utf8(&address).unwrap_or_default();
        let lower = address
            .get(..8.min(address.len()))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let leads = lower.starts_with("http://") || lower.starts_with("https://");
        let clean = address.chars().all(|c| c.is_ascii_graphic()) && address.len() <= LONGEST_LINK;
        self.link = (leads && clean).then(|| address.into());
    }
}

#[cfg(test)]
mod tests;
