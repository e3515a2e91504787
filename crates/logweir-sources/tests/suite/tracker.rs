//! The tracker's watermark is the longest run of delivered chunks from the start.

use std::collections::HashMap;

use logweir_event::{Ack, Position};
use logweir_sources::AckTracker;
use proptest::prelude::*;

fn position(number: usize) -> Position {
    Position { input: (number / 5) as u32, offset: number as u64 * 10 }
}

/// The bytes of the source that chunk `number` stands for.
fn n_bytes(number: usize) -> u64 {
    number as u64 % 7
}

/// Compares the tracker with what follows from what became of each chunk, `None` meaning nothing yet.
fn check(tracker: &AckTracker, fates: &[Option<bool>]) -> Result<(), TestCaseError> {
    let n_delivered = fates.iter().take_while(|&&fate| fate == Some(true)).count();
    prop_assert_eq!(tracker.delivered(), n_delivered.checked_sub(1).map(position));
    let mut marks = HashMap::new();
    marks.extend((0..n_delivered).map(|number| (position(number).input, position(number))));
    let found = tracker.marks().into_iter().map(|(input, mark)| (input, mark.position));
    prop_assert_eq!(found.collect::<HashMap<_, _>>(), marks);
    prop_assert_eq!(tracker.delivered_source_bytes(), (0..n_delivered).map(n_bytes).sum::<u64>());
    prop_assert_eq!(tracker.unresolved(), fates.iter().filter(|fate| fate.is_none()).count() as u64);
    prop_assert_eq!(tracker.undelivered(), fates.iter().filter(|&&fate| fate == Some(false)).count() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_resolving_gives_the_naive_watermark(
        steps in proptest::collection::vec((any::<prop::sample::Index>(), 0..12u8), 1..80),
    ) {
        let tracker = AckTracker::new();
        let mut open: Vec<(usize, Ack)> = Vec::new();
        let mut fates = Vec::new();
        for (which, action) in steps {
            if action < 5 || open.is_empty() {
                open.push((fates.len(), tracker.ack(position(fates.len()).into(), n_bytes(fates.len()))));
                fates.push(None);
            } else {
                let (number, ack) = open.swap_remove(which.index(open.len()));
                let is_delivered = action < 11;
                if is_delivered { ack.deliver() } else { drop(ack) }
                fates[number] = Some(is_delivered);
            }
            check(&tracker, &fates)?;
        }
        // All that is left is delivered, latest first.
        while let Some((number, ack)) = open.pop() {
            ack.deliver();
            fates[number] = Some(true);
        }
        check(&tracker, &fates)?;
    }
}
