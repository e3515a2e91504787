//! Goes over the bytes: checks all that does not depend on what is open.

use super::Stripe;
use crate::lines::skip_space;
use crate::scan::{escape, word};
use crate::simd::{self, BLOCK_BYTES, Block, LANES, Lanes, Simd};

/// The state of reading an event.
///
/// Of what is named by a kind of byte only the highest bit of the last lane counts: whether the last byte read was of
/// that kind, so that the next one stands behind it.
pub(super) struct Lexer<'a, S: Simd> {
    simd: S,
    event: &'a [u8],
    /// Whether a name is written with an escape.
    pub(super) has_escaped_names: bool,
    /// Whatever bit is set, something is wrong.
    errors: S::Lanes,
    /// Whatever bit is set, there are other bytes than ASCII.
    non_ascii: S::Lanes,
    /// Bit 0: the next byte is escaped.
    escaped: u64,
    /// All ones: the next byte is inside a string.
    in_string: u64,
    /// The string that the next byte belongs to may be a name.
    in_name: bool,
    /// The string that the next byte belongs to has an escape.
    in_escaped: bool,
    open: S::Lanes,
    comma: S::Lanes,
    colon: S::Lanes,
    name: S::Lanes,
    word: S::Lanes,
    zero: S::Lanes,
}

/// The masks of a stripe as they are found, one array a kind.
#[derive(Default)]
struct Raw {
    quote: [u64; LANES],
    backslash: [u64; LANES],
    open: [u64; LANES],
    close: [u64; LANES],
    colon: [u64; LANES],
    comma: [u64; LANES],
    space: [u64; LANES],
    control: [u64; LANES],
    digit: [u64; LANES],
    zero: [u64; LANES],
    non_ascii: [u64; LANES],
    /// The bytes that belong to the event.
    inside: [u64; LANES],
}

impl Raw {
    #[inline(always)]
    fn set<S: Simd>(&mut self, simd: S, n: usize, block: &Block, inside: u64) {
        let masks = simd.masks(block);
        self.quote[n] = masks.quote;
        self.backslash[n] = masks.backslash;
        self.open[n] = masks.open;
        self.close[n] = masks.close;
        self.colon[n] = masks.colon;
        self.comma[n] = masks.comma;
        self.space[n] = masks.space;
        self.control[n] = masks.control;
        self.digit[n] = masks.digit;
        self.zero[n] = masks.zero;
        self.non_ascii[n] = masks.non_ascii;
        self.inside[n] = inside;
    }
}

impl<'a, S: Simd> Lexer<'a, S> {
    #[inline(always)]
    pub(super) fn new(simd: S, event: &'a [u8]) -> Self {
        let none = simd.load(&[0; LANES]);
        Self {
            simd,
            event,
            has_escaped_names: false,
            errors: none,
            non_ascii: none,
            escaped: 0,
            in_string: 0,
            in_name: false,
            in_escaped: false,
            open: none,
            comma: none,
            // The event stands where a value stands: as if behind a colon.
            colon: simd.load(&carried(true)),
            name: none,
            word: none,
            zero: none,
        }
    }

    /// Returns whether nothing was wrong, in what has been read, that can be told without knowing what is open.
    #[inline(always)]
    pub(super) fn is_legal(&self) -> bool {
        self.errors.is_zero() && (self.non_ascii.is_zero() || simdutf8::basic::from_utf8(self.event).is_ok())
    }

    /// Reads the stripe that starts at `at`: `n_whole` blocks and the first `n_in_tail` bytes of one more. `None` if
    /// something is wrong with an escape, a number or a literal.
    #[inline(always)]
    pub(super) fn stripe<'b>(
        &mut self,
        at: usize,
        block: impl Fn(usize) -> &'b Block,
        n_whole: usize,
        n_in_tail: usize,
    ) -> Option<Stripe> {
        let simd = self.simd;
        let load = |masks: &[u64; LANES]| simd.load(masks);
        let mut raw = Raw::default();
        for n in 0..n_whole.min(LANES) {
            raw.set(simd, n, block(n), u64::MAX);
        }
        if n_in_tail > 0 && n_whole < LANES {
            raw.set(simd, n_whole, block(n_whole), (1 << n_in_tail) - 1);
        }
        let inside = load(&raw.inside);
        self.non_ascii = self.non_ascii | load(&raw.non_ascii) & inside;

        let has_escapes = self.escaped != 0 || self.in_escaped || !load(&raw.backslash).is_zero();
        let mut escaped = [0; LANES];
        if has_escapes {
            for (n, escaped) in escaped.iter_mut().enumerate() {
                *escaped = simd::escaped(raw.backslash[n], &mut self.escaped);
                raw.quote[n] &= !*escaped;
            }
        }
        // From an opening quote up to, not including, the closing one.
        let mut strings = [0; LANES];
        for (string, quote) in strings.iter_mut().zip(raw.quote) {
            *string = simd.parity(quote) ^ self.in_string;
            self.in_string = (string.cast_signed() >> 63).cast_unsigned();
        }
        let (string, quote) = (load(&strings), load(&raw.quote));
        let open = load(&raw.open) & !string;
        let close = load(&raw.close) & !string;
        let colon = load(&raw.colon) & !string;
        let comma = load(&raw.comma) & !string;
        let mut space = load(&raw.space) & !string;
        let mut spaces = None;
        let control = load(&raw.control) & inside;
        if !(space | control).is_zero() {
            self.errors = self.errors | control & string;
            for (n, space) in
                raw.space.iter_mut().enumerate().filter(|&(n, _)| raw.control[n] & raw.inside[n] != 0)
            {
                let block = block(n);
                *space |= simd.equal(block, b'\t') | simd.equal(block, b'\n') | simd.equal(block, b'\r');
            }
            space = load(&raw.space) & !string;
            spaces = Some(space.store());
        }
        let spaces = spaces.as_ref();

        let word = !(string | quote | open | close | colon | comma | space);
        let word_start = word & !word.next(self.word);
        self.word = word;
        let behind_open = behind(simd, open, &mut self.open, spaces);
        let behind_comma = behind(simd, comma, &mut self.comma, spaces);
        let behind_colon = behind(simd, colon, &mut self.colon, spaces);

        // A string that may be a name starts behind a comma or an opening bracket.
        let behind_either = behind_open | behind_comma;
        let string_start = string & quote;
        let name_ends = ends(&(string_start & behind_either).store(), &strings, &mut self.in_name);
        let name_end = load(&name_ends) & !string;
        let behind_name = behind(simd, name_end, &mut self.name, spaces);

        let value_start = string_start | open | word_start;
        let misplaced = (value_start ^ (behind_either | behind_colon)) & !(close & behind_open);
        self.errors = self.errors | (misplaced | colon & !behind_name) & inside;
        let wrong_in_object = (open | word_start) & behind_either | behind_name & !colon;

        if has_escapes {
            for n in 0..LANES {
                let escaped = escaped[n] & strings[n] & raw.inside[n];
                if escaped != 0 {
                    let is_legal = escaped & !simd.escapable(block(n)) == 0;
                    if !is_legal || !are_code_units(self.event, at + n * BLOCK_BYTES, escaped) {
                        return None;
                    }
                }
            }
            let backslash = (load(&raw.backslash) & string).store();
            let escaped_end = load(&ends(&backslash, &strings, &mut self.in_escaped)) & name_end & inside;
            if !escaped_end.is_zero() && has_colons_behind(self.event, at, &escaped_end.store()) {
                self.has_escaped_names = true;
            }
        }

        // A word of digits alone is a number, unless there are more behind a zero.
        let zero_start = word_start & load(&raw.zero);
        let odd = word & (!load(&raw.digit) | zero_start.next(self.zero)) & inside;
        self.zero = zero_start;
        if !odd.is_zero() && !are_words(self.event, at, &word_start.store(), &odd.store()) {
            return None;
        }
        Some(Stripe {
            bracket: (open | close).store(),
            comma: comma.store(),
            wrong_in: [colon.store(), wrong_in_object.store()],
        })
    }
}

/// Returns a vector of which the highest bit of the last lane tells whether something is carried over.
fn carried(is_carried: bool) -> [u64; LANES] {
    let mut lanes = [0; LANES];
    lanes[LANES - 1] = u64::from(is_carried) << 63;
    lanes
}

/// Returns the places of what comes next behind the marked bytes, white space passed over.
#[inline(always)]
fn behind<S: Simd>(
    simd: S,
    marked: S::Lanes,
    before: &mut S::Lanes,
    spaces: Option<&[u64; LANES]>,
) -> S::Lanes {
    let next = marked.next(*before);
    *before = marked;
    let Some(spaces) = spaces else { return next };
    let (next, is_carried) = behind_spaces(&next.store(), spaces);
    *before = *before | simd.load(&carried(is_carried));
    simd.load(&next)
}

/// Moves marks at the start of a row of spaces to what stands behind the row; returns also whether that is behind the
/// stripe.
fn behind_spaces(next: &[u64; LANES], spaces: &[u64; LANES]) -> ([u64; LANES], bool) {
    let mut moved = [0; LANES];
    let mut carry = false;
    for n in 0..LANES {
        // Added to the first bit of a row of spaces, a bit carries through to the place behind it.
        let (sum, overflow) = spaces[n].overflowing_add(next[n] & spaces[n]);
        let (sum, overflow_of_carry) = sum.overflowing_add(u64::from(carry));
        carry = overflow | overflow_of_carry;
        moved[n] = (next[n] | sum) & !spaces[n];
    }
    (moved, carry)
}

/// Returns, among other bits inside of strings, the closing quotes of the strings that have a marked byte; a string that
/// the stripe starts inside of has one if `carry` says so.
#[inline(always)]
fn ends(marked: &[u64; LANES], strings: &[u64; LANES], carry: &mut bool) -> [u64; LANES] {
    let mut ends = [0; LANES];
    for n in 0..LANES {
        // Added to the bits of the string, a mark carries through to its end; further marks change nothing there.
        let (sum, overflow) = strings[n].overflowing_add(marked[n]);
        let (sum, overflow_of_carry) = sum.overflowing_add(u64::from(*carry));
        *carry = overflow | overflow_of_carry;
        ends[n] = sum;
    }
    ends
}

/// Returns whether each `u` among the escaped bytes of a block is followed by four hexadecimal digits.
#[inline(always)]
fn are_code_units(event: &[u8], at: usize, mut escaped: u64) -> bool {
    while escaped != 0 {
        let place = at + escaped.trailing_zeros() as usize;
        if event.get(place) == Some(&b'u') && escape(event, place - 1).is_err() {
            return false;
        }
        escaped &= escaped - 1;
    }
    true
}

/// Returns whether one of the quotes at `ends` has a colon behind it.
#[inline(never)]
fn has_colons_behind(event: &[u8], at: usize, ends: &[u64; LANES]) -> bool {
    let is_before_colon = |place: usize| event.get(skip_space(event, place + 1)) == Some(&b':');
    places(at, ends).any(is_before_colon)
}

/// Returns whether the words of a stripe that hold the bytes `odd`, no digits, are numbers and literals. The stripe
/// starts at `at`, its words at the places `starts`.
#[inline(never)]
fn are_words(event: &[u8], at: usize, starts: &[u64; LANES], odd: &[u64; LANES]) -> bool {
    for n in 0..LANES {
        let at = at + n * BLOCK_BYTES;
        let mut odd = odd[n];
        while odd != 0 {
            let before = starts[n] & (u64::MAX >> (63 - odd.trailing_zeros()));
            let start = match before {
                0 => event[..at]
                    .iter()
                    .rposition(|&byte| is_delimiter(byte))
                    .map_or(0, |delimiter| delimiter + 1),
                _ => at + 63 - before.leading_zeros() as usize,
            };
            let Some(end) = word_end(event, start) else { return false };
            odd &= u64::MAX.checked_shl((end - at) as u32).unwrap_or(0);
        }
    }
    true
}

/// Returns the places of the bits of a stripe that starts at `at`.
fn places(at: usize, masks: &[u64; LANES]) -> impl Iterator<Item = usize> {
    masks.iter().enumerate().flat_map(move |(n, &mask)| {
        let bits = std::iter::successors(Some(mask), |mask| Some(mask & mask.wrapping_sub(1)))
            .take_while(|&mask| mask != 0);
        bits.map(move |mask| at + n * BLOCK_BYTES + mask.trailing_zeros() as usize)
    })
}

/// Returns the end of the number or literal at `start`, if it is one and what follows is something else.
#[inline(always)]
fn word_end(event: &[u8], start: usize) -> Option<usize> {
    let end = word(event, start).ok()?;
    event.get(end).is_none_or(|&byte| is_delimiter(byte)).then_some(end)
}

/// Returns whether a byte is part of no number or literal, whatever comes.
#[inline(always)]
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' | b'\n' | b'\r')
}
