//! Bytes and spans: finds events and their fields in NDJSON, and never touches the bytes.
//!
//! The one crate that knows JSON. Text that comes from outside goes through a [`Projector`] (or the [`Scanner`],
//! the plain definition of what is legal), which says where an event and its asked fields lie. What has passed
//! there is *legal*, and everything else here works on legal text without checking it again: [`members`],
//! [`elements`] and [`entries`] walk into arrays and objects, [`Value`] and [`Text`] tell what stands there, [`splice`] writes an
//! event with its edits made, [`SetMember`] adds a member to it. Illegal text gives unspecified answers there, but no panic and no endless loop.
//!
//! Nothing here recurses over input: nesting costs memory, a bit a level, never stack.

mod every;
mod indent;
mod lines;
mod lookup;
mod number;
mod path;
mod project;
mod scan;
mod simd;
mod skip;
mod splice;
mod string;
mod structure;
mod value;
mod walk;

pub use every::every_value_at;
pub use indent::indented;
pub use lines::{content, is_blank, lines};
pub use lookup::{find_lookup, redact_lookups};
pub use number::{Number, write_number};
pub use path::{Projection, SetMember};
pub use project::Projector;
pub use scan::{Illegal, Scanner, check};
pub use simd::Instructions;
pub use splice::{make_edits, splice};
pub use string::{Text, Unit, count_text, escape_into, prefix_of_text};
pub use value::Value;
pub use walk::{Elements, Entries, Entry, Member, Members, elements, entries, members};
