//! Every byte is written once, in order, however little the writer takes at a time.

use std::io::{self, ErrorKind, IoSlice, Write};

use bytes::Bytes;
use logweir_event::Payload;
use logweir_sinks::write_payload;
use proptest::prelude::*;

/// Takes `amounts` in turn, 0 standing for an interrupting signal, and fails when `n_left` bytes have been taken.
struct Odd {
    taken: Vec<u8>,
    n_left: usize,
    amounts: std::iter::Cycle<std::vec::IntoIter<usize>>,
    most_slices: usize,
}

impl Write for Odd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.most_slices = self.most_slices.max(slices.len());
        if self.n_left == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        let amount = match self.amounts.next() {
            Some(0) => return Err(ErrorKind::Interrupted.into()),
            amount => amount.unwrap_or(1).min(self.n_left),
        };
        let offered: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(amount).collect();
        self.taken.extend_from_slice(&offered);
        self.n_left -= offered.len();
        Ok(offered.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn odd(n_left: usize, amounts: Vec<usize>) -> Odd {
    Odd { taken: Vec::new(), n_left, amounts: amounts.into_iter().cycle(), most_slices: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_amounts_and_failures_anywhere(
        lengths in proptest::collection::vec(0..40usize, 0..30),
        mut amounts in proptest::collection::vec(0..70usize, 1..5),
        n_left in 0..1000usize,
    ) {
        amounts.push(3);
        let mut next = 0u8;
        let part = |n: &usize| (0..*n).map(|_| { next = next.wrapping_add(1); next }).collect::<Bytes>();
        let parts: Vec<Bytes> = lengths.iter().map(part).collect();
        let whole = parts.concat();
        let mut out = odd(n_left, amounts);
        let result = write_payload(&mut out, &Payload::new(parts, 0));
        prop_assert_eq!(&out.taken, &whole[..whole.len().min(n_left)]);
        match result {
            Ok(()) => prop_assert!(whole.len() <= n_left),
            Err(cut_off) => {
                prop_assert_eq!(cut_off.n_taken, n_left as u64);
                prop_assert_eq!(cut_off.source.kind(), ErrorKind::StorageFull);
            }
        }
    }
}

#[test]
fn no_call_gets_more_slices_than_the_system_takes() {
    let parts = vec![Bytes::from_static(b"{}\n"); 5000];
    let mut out = odd(usize::MAX, vec![usize::MAX]);
    write_payload(&mut out, &Payload::new(parts, 5000)).unwrap();
    assert_eq!((out.taken.len(), out.most_slices), (15_000, 1024));
}
