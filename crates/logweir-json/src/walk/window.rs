//! What the walk through a long list sees of its text: eight blocks at a time, and in each the marks that values end
//! at and the units that its bytes count for.
//!
//! The units are counted for every byte of the text, whatever it belongs to: what a value counts for is then the
//! difference of two counts, that at its end and that at its start. Each byte counts for one unit or for none, so a
//! mask tells all of them. Of a code point counts the byte it starts with; in UTF-16 also the second of four bytes, and
//! in bytes each. The bytes of an escape count as they stand where they are text like any other; within a string only
//! as many of them count, from the backslash on, as what the escape stands for has units.

// All of it has to end up in one function that has the instructions of a version.
#![allow(clippy::inline_always)]

use crate::simd::{BLOCK_BYTES, Block, Instructions, Simd, escaped, pad};
use crate::string::{Unit, escape_at};

/// Blocks looked at together, so that the call to the processor's version of [`fill`] is paid but once for them.
const BLOCKS: usize = 8;
const WINDOW_BYTES: usize = BLOCKS * BLOCK_BYTES;

/// All bytes count.
const ALL: u64 = u64::MAX;

/// What stands in a block: masks of its bytes, the first byte being the lowest bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Quotes that are not escaped.
    pub(super) quote: u64,
    /// Brackets outside of strings.
    pub(super) bracket: u64,
    /// Commas and closing brackets outside of strings.
    pub(super) end: u64,
    /// What counts as it stands.
    plain: Count,
    /// What counts within a string.
    string: Count,
}

/// The units of the bytes of a block.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// The bytes that count.
    bytes: u64,
    /// How many count in the text before the block.
    before: u64,
}

impl Count {
    const NONE: Self = Self { bytes: 0, before: 0 };

    /// Returns how many bytes count up to that of the block at `bit`.
    #[inline]
    fn up_to(self, bit: usize) -> u64 {
        if self.bytes == ALL {
            return self.before + bit as u64;
        }
        self.before + u64::from((self.bytes & !(ALL << bit)).count_ones())
    }

    /// Returns how many bytes count up to the end of the block.
    #[inline(always)]
    fn behind(self) -> u64 {
        self.before + u64::from(self.bytes.count_ones())
    }
}

/// Part of a text with its marks. It only ever moves forward.
#[derive(Clone, Debug)]
pub(crate) struct Window<'a> {
    text: &'a [u8],
    unit: Unit,
    /// What it is filled with.
    instructions: Instructions,
    /// Where the window ends in the text, a multiple of its length; at first it is before the text, and sees nothing.
    end: usize,
    marks: [Marks; BLOCKS],
    /// What the bytes in it say of those behind it.
    carry: Carry,
}

/// What goes over from block to block.
#[derive(Clone, Copy, Default, Debug)]
struct Carry {
    /// Bit 0: the next byte is escaped.
    escaped: u64,
    /// All bits: the next byte is in a string.
    in_string: u64,
    /// Bit 0: the last byte starts a code point of four bytes.
    four: u64,
    /// The bytes of the next block that belong to an escape and do not count.
    idle: u64,
    /// Where the last `\u` escape, or pair of them, ends in the text.
    behind_unicode: usize,
}

impl<'a> Window<'a> {
    /// Returns a window before the start of `text`.
    pub(super) fn new(text: &'a [u8], unit: Unit, instructions: Instructions) -> Self {
        let marks = Marks { quote: 0, bracket: 0, end: 0, plain: Count::NONE, string: Count::NONE };
        Self { text, unit, instructions, end: 0, marks: [marks; BLOCKS], carry: Carry::default() }
    }

    /// Counts another unit; to be called before it moves.
    pub(super) fn count_in(&mut self, unit: Unit) {
        self.unit = unit;
    }

    /// Returns the first place from `at` on that has the mark `of` chooses, and moves there; the end of the text if
    /// none has. `at` is not before the window.
    #[inline]
    pub(super) fn find(&mut self, at: usize, of: impl Fn(&Marks) -> u64) -> usize {
        if at < self.end {
            let bits = of(self.marks_at(at)) & (u64::MAX << (at % BLOCK_BYTES));
            if bits != 0 {
                return at - at % BLOCK_BYTES + bits.trailing_zeros() as usize;
            }
        }
        self.find_in_blocks(at, of)
    }

    /// As [`find`](Self::find), over as many blocks as it takes.
    fn find_in_blocks(&mut self, mut at: usize, of: impl Fn(&Marks) -> u64) -> usize {
        while self.reach(at) {
            let block = at - at % BLOCK_BYTES;
            let bits = of(self.marks_at(at)) & (u64::MAX << (at % BLOCK_BYTES));
            if bits != 0 {
                return block + bits.trailing_zeros() as usize;
            }
            at = block + BLOCK_BYTES;
        }
        self.text.len()
    }

    /// Moves so that the window holds the place `at`, unless the text ends before it.
    #[inline]
    pub(super) fn reach(&mut self, at: usize) -> bool {
        at < self.end || self.advance(at)
    }

    #[inline(never)]
    fn advance(&mut self, at: usize) -> bool {
        while at >= self.end {
            if self.end >= self.text.len() {
                return false;
            }
            self.end += WINDOW_BYTES;
            self.instructions.fill(self);
        }
        true
    }

    /// Returns how many units the text counts up to a place in the window, all of it taken as it stands.
    #[inline]
    pub(super) fn plain_units(&self, at: usize) -> u64 {
        self.marks_at(at).plain.up_to(at % BLOCK_BYTES)
    }

    /// Returns how many units the text counts up to a place in the window, all of it taken as a string.
    #[inline]
    pub(super) fn string_units(&self, at: usize) -> u64 {
        self.marks_at(at).string.up_to(at % BLOCK_BYTES)
    }

    #[inline]
    fn marks_at(&self, at: usize) -> &Marks {
        &self.marks[at / BLOCK_BYTES % BLOCKS]
    }
}

/// Fills a window that has moved to its place.
#[inline(always)]
pub(crate) fn fill<S: Simd>(simd: S, window: &mut Window<'_>) {
    let (text, unit, mut carry) = (window.text, window.unit, window.carry);
    let last = &window.marks[BLOCKS - 1];
    let (mut plain, mut string) = (last.plain, last.string);
    for (i, marks) in window.marks.iter_mut().enumerate() {
        let start = window.end - WINDOW_BYTES + i * BLOCK_BYTES;
        (plain.before, string.before) = (plain.behind(), string.behind());
        let rest = text.get(start..).unwrap_or_default();
        if rest.is_empty() {
            (plain.bytes, string.bytes) = (0, 0);
            *marks = Marks { quote: 0, bracket: 0, end: 0, plain, string };
            continue;
        }
        let padded;
        let block: &Block = if let Some(block) = rest.first_chunk() {
            block
        } else {
            padded = pad(rest);
            &padded
        };
        let masks = simd.masks(block);
        let escaped = escaped(masks.backslash, &mut carry.escaped);
        let quote = masks.quote & !escaped;
        let inside = simd.parity(quote) ^ carry.in_string;
        carry.in_string = (inside.cast_signed() >> 63).cast_unsigned();
        plain.bytes =
            if masks.non_ascii | carry.four == 0 { ALL } else { units(block, unit, &mut carry.four) };
        string.bytes = plain.bytes;
        if escaped | carry.idle != 0 {
            let unicode = escaped & simd.equal(block, b'u');
            let idle = std::mem::take(&mut carry.idle) | escaped & !unicode;
            string.bytes &= !(idle | idle_of_unicode(text, start, unicode, unit, &mut carry));
        }
        let bracket = (masks.open | masks.close) & !inside;
        *marks = Marks { quote, bracket, end: (masks.comma | masks.close) & !inside, plain, string };
    }
    window.carry = carry;
}

/// Returns the bytes of a block of UTF-8 that count.
#[inline(always)]
fn units(block: &Block, unit: Unit, four: &mut u64) -> u64 {
    /// The top bit of each byte of a word.
    const TOPS: u64 = (u64::MAX / 255) << 7;
    // In a byte whose top bit is set, the bits below it move up to it without meeting those of another byte.
    let starts = || mask(block, |word| (!word | (word << 1)) & TOPS);
    match unit {
        Unit::Chars => starts(),
        Unit::Utf16 => {
            let fours = mask(block, |word| word & (word << 1) & (word << 2) & (word << 3) & TOPS);
            let seconds = fours << 1 | *four;
            *four = fours >> 63;
            starts() | seconds
        }
        Unit::Bytes => ALL,
    }
}

/// Gathers the top bits that `of_word` leaves in the words of a block; it leaves no other bits.
#[inline(always)]
fn mask(block: &Block, of_word: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |mask, &word| {
        // Each bit is multiplied to its place in the top byte; no two products meet.
        let tops = of_word(u64::from_le_bytes(word));
        mask << 8 | (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// Returns the bytes that do not count of the `\u` escapes whose `u` stands at a bit of `unicode`, in the block that
/// starts at `start`. What lies in the next block is carried there.
#[inline]
fn idle_of_unicode(text: &[u8], start: usize, mut unicode: u64, unit: Unit, carry: &mut Carry) -> u64 {
    let mut idle = 0_u128;
    while unicode != 0 {
        let bit = unicode.trailing_zeros() as usize;
        unicode &= unicode - 1;
        let at = start + bit - 1;
        // The second of a pair has been taken along by the first.
        if at >= carry.behind_unicode {
            let escape = escape_at(&text[at..]);
            let n_units = escape.units(unit) as usize;
            carry.behind_unicode = at + escape.n_bytes;
            idle |= ((1 << (escape.n_bytes - n_units)) - 1) << (bit + n_units - 1);
        }
    }
    carry.idle |= (idle >> BLOCK_BYTES) as u64;
    idle as u64
}
