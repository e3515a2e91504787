//! Events moved to where they meet the borders of blocks and stripes.
//!
//! The projector reads blocks of 64 bytes, counted from the event's brace, and stripes of eight of them. What it must
//! not depend on is where these begin.

use crate::readers::{Answer, Readers};

/// What moves the members of an event away from its brace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Padding {
    Space,
    Value,
    Name,
}

impl Padding {
    pub(crate) const ALL: [Self; 3] = [Self::Space, Self::Value, Self::Name];

    /// Returns the start of an event in which `n_bytes` are only there to move what is put behind.
    pub(crate) fn start(self, n_bytes: usize) -> Vec<u8> {
        let (before, byte, behind) = match self {
            Self::Space => ("{", " ", ""),
            Self::Value => ("{\"p\":\"", "x", "\","),
            Self::Name => ("{\"p", "x", "\":0,"),
        };
        format!("{before}{}{behind}", byte.repeat(n_bytes)).into_bytes()
    }
}

/// How far members are moved: across every place of the first block, and across the first stripe's end.
pub(crate) fn offsets() -> impl Iterator<Item = usize> {
    (0..=64).chain(448..=576)
}

/// Reads an event of these members, moved by each kind of padding; returns whether it is legal, which must not depend on
/// where it stands.
#[track_caller]
pub(crate) fn is_legal_everywhere(readers: &mut Readers, members: &[u8]) -> bool {
    let mut is_legal = None;
    each(readers, members, offsets(), |answer, start| {
        let shown = || String::from_utf8_lossy(members).into_owned();
        assert_eq!(
            *is_legal.get_or_insert(answer.0.is_ok()),
            answer.0.is_ok(),
            "{} behind {start} bytes",
            shown()
        );
    });
    is_legal.expect("it was read somewhere")
}

/// Reads an event of these members at each offset, moved by each kind of padding, and shows the answers with the place
/// where the members start.
#[track_caller]
pub(crate) fn each(
    readers: &mut Readers,
    members: &[u8],
    offsets: impl Iterator<Item = usize>,
    mut look: impl FnMut(&Answer, usize),
) {
    for offset in offsets {
        for padding in Padding::ALL {
            let mut event = padding.start(offset);
            let start = event.len();
            event.extend_from_slice(members);
            event.push(b'}');
            look(&readers.read_twice(&event), start);
        }
    }
}
