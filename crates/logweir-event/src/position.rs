//! How far a source has come.

/// A place in a source's input, at the end of a chunk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Which of the source's inputs: the index of the file in reading order, 0 for stdin.
    pub input: u32,
    /// Bytes of that input up to here, decompressed.
    pub offset: u64,
}
