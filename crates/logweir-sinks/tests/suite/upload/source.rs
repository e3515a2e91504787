//! A source in memory that can be read again from any of its positions.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use logweir_event::{
    Ack, EventPlace, Payload, Places, Position, Positions, Reached, Receipt, Settled, Verdict,
};

/// An event, or a line that a filter drops.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) time_ms: Option<i64>,
    pub(crate) is_dropped: bool,
}

/// How what was read comes to the sink.
#[derive(Clone, Debug)]
pub(crate) struct Cuts {
    /// How many lines each chunk has, again and again.
    pub(crate) chunks: Vec<usize>,
    /// How many events a payload has at most.
    pub(crate) payload: usize,
    /// How many bytes a run of a payload has at most.
    pub(crate) run: usize,
    /// What begins each event, to be dropped from the first of a batch.
    pub(crate) delimiter: &'static str,
}

/// The source; it goes by inputs in turn, a chunk of each.
#[derive(Debug)]
pub(crate) struct Source {
    inputs: Vec<Vec<Line>>,
    is_replayable: bool,
    /// Whether what is delivered is kept whenever somebody asks.
    pub(crate) commits: bool,
    state: Mutex<State>,
}

/// An event as it is rendered, where its line ends in the chunk, and its time.
type Rendered = (String, u32, Option<i64>);

/// A place of each input.
pub(crate) type Offsets = BTreeMap<u32, u64>;

#[derive(Default, Debug)]
struct State {
    /// Where this run began.
    start: Offsets,
    /// What was handed out since, and whether it was delivered.
    chunks: Vec<(Position, Option<Verdict>)>,
    committed: Offsets,
    settled: Settled,
    /// Pieces of payloads that nobody has said anything of.
    n_open: usize,
}

impl Source {
    pub(crate) fn new(inputs: Vec<Vec<Line>>, is_replayable: bool) -> Arc<Self> {
        Arc::new(Self { inputs, is_replayable, commits: true, state: Mutex::default() })
    }

    /// Begins anew where it is to, given what a spool covers.
    pub(crate) fn begin(&self, covered: Option<Vec<u8>>) {
        let mut state = self.lock();
        let mut start = state.committed.clone();
        for (input, offset) in covered.map(|bytes| read(&bytes)).unwrap_or_default() {
            let known = start.entry(input).or_default();
            *known = offset.max(*known);
        }
        let committed = state.committed.clone();
        *state = State { start, committed, ..State::default() };
    }

    /// Returns what is left to be read, as payloads.
    pub(crate) fn payloads(self: &Arc<Self>, cuts: &Cuts) -> Vec<Payload> {
        let mut payloads = Vec::new();
        let mut sizes = cuts.chunks.iter().cycle();
        let mut at: Vec<(usize, u64)> =
            (0..self.inputs.len()).map(|input| self.index_at(input, self.start(input))).collect();
        loop {
            let mut is_over = true;
            for (input, place) in at.iter_mut().enumerate() {
                let n_lines = (*sizes.next().unwrap()).clamp(1, 1000);
                let end = (place.0 + n_lines).min(self.inputs[input].len());
                if end > place.0 {
                    is_over = false;
                    payloads.extend(self.chunk(input, place.0..end, &mut place.1, cuts));
                    place.0 = end;
                }
            }
            if is_over {
                return payloads;
            }
        }
    }

    /// Keeps what has been delivered, as a checkpoint does.
    pub(crate) fn commit(&self) {
        let mut state = self.lock();
        state.committed = state.delivered();
    }

    pub(crate) fn settled(&self) -> Settled {
        self.lock().settled
    }

    /// Returns how many payloads and pieces of them nobody has said anything of.
    pub(crate) fn n_open(&self) -> usize {
        self.lock().n_open
    }

    /// Returns whether all that was handed out was delivered.
    pub(crate) fn is_all_delivered(&self) -> bool {
        self.lock().chunks.iter().all(|(_, verdict)| *verdict == Some(Verdict::Delivered))
    }

    /// Returns the events that are to be delivered, as they are rendered without delimiter.
    pub(crate) fn events(&self) -> Vec<String> {
        let lines = self.inputs.iter().flatten().filter(|line| !line.is_dropped);
        lines.map(|line| line.text.clone()).collect()
    }

    fn start(&self, input: usize) -> u64 {
        self.lock().start.get(&(input as u32)).copied().unwrap_or_default()
    }

    /// Returns which line begins at an offset.
    fn index_at(&self, input: usize, offset: u64) -> (usize, u64) {
        let mut at = 0;
        for (i, line) in self.inputs[input].iter().enumerate() {
            if at == offset {
                return (i, offset);
            }
            at += line.text.len() as u64 + 1;
        }
        assert_eq!(at, offset, "a position is the end of a line");
        (self.inputs[input].len(), offset)
    }

    /// Returns the payloads of a chunk.
    fn chunk(
        self: &Arc<Self>,
        input: usize,
        lines: Range<usize>,
        offset: &mut u64,
        cuts: &Cuts,
    ) -> Vec<Payload> {
        let lines = &self.inputs[input][lines];
        let bytes: Vec<_> = lines.iter().map(|line| format!("{}\n", line.text)).collect();
        let bytes = Bytes::from(bytes.concat());
        *offset += bytes.len() as u64;
        let end = Position { input: input as u32, offset: *offset };
        let ack = self.ack(end);
        let mut read_end = 0;
        let mut events = Vec::new();
        for line in lines {
            read_end += line.text.len() as u32 + 1;
            if !line.is_dropped {
                events.push((format!("{}{}", cuts.delimiter, line.text), read_end, line.time_ms));
            }
        }
        let groups: Vec<_> = events.chunks(cuts.payload.max(1)).collect();
        let groups = if groups.is_empty() { vec![&[][..]] } else { groups };
        let n_groups = groups.len();
        let payload = |(i, group): (usize, &[Rendered])| {
            let mut rendered_end = 0;
            let places = group.iter().map(|(text, read_end, time_ms)| {
                rendered_end += text.len() as u32;
                EventPlace { rendered_end, read_end: *read_end, time_ms: *time_ms }
            });
            let places = places.collect();
            let text: String = group.iter().map(|(text, ..)| text.as_str()).collect();
            let places = Places::new(bytes.clone(), end, places, cuts.delimiter.len() as u32);
            let payload = Payload::new(runs(&text, cuts.run), group.len() as u64)
                .with_places(places)
                .bound_to(Some(self.receipt()), ack.clone());
            if i + 1 < n_groups { payload.followed_by_more() } else { payload }
        };
        let payloads = groups.into_iter().enumerate().map(payload).collect();
        ack.deliver();
        payloads
    }

    fn receipt(self: &Arc<Self>) -> Arc<dyn Receipt> {
        self.lock().n_open += 1;
        Arc::new(Books(self.clone()))
    }

    fn ack(self: &Arc<Self>, position: Position) -> Ack {
        let mut state = self.lock();
        let n = state.chunks.len();
        state.chunks.push((position, None));
        let source = self.clone();
        Ack::new(move |verdict| {
            // One of a former run is nobody's any more.
            if let Some(chunk) = source.lock().chunks.get_mut(n).filter(|chunk| chunk.0 == position) {
                chunk.1 = Some(verdict);
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Returns up to where everything was delivered.
    fn delivered(&self) -> Offsets {
        let mut offsets = self.start.clone();
        let delivered = self.chunks.iter().take_while(|(_, verdict)| *verdict == Some(Verdict::Delivered));
        offsets.extend(delivered.map(|(position, _)| (position.input, position.offset)));
        offsets
    }
}

struct Books(Arc<Source>);

impl Receipt for Books {
    fn settle(&self, settled: Settled) {
        let mut state = self.0.lock();
        let sum = &mut state.settled;
        sum.written += settled.written;
        sum.undelivered += settled.undelivered;
        sum.rejected += settled.rejected;
        sum.kept += settled.kept;
        sum.bytes += settled.bytes;
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.0.lock().n_open -= 1;
    }
}

impl Positions for Source {
    fn identity(&self, input: u32) -> Vec<u8> {
        format!("input {input}").into_bytes()
    }

    fn covering(&self, reached: &[Reached]) -> Option<Vec<u8>> {
        let mut offsets = self.lock().delivered();
        for Reached { position, before } in reached {
            let (index, _) = self.index_at(position.input as usize, position.offset);
            let line = &self.inputs[position.input as usize][index - 1];
            let line = format!("{}\n", line.text);
            let n = line.len().min(before.len());
            assert_eq!(line.as_bytes()[line.len() - n..], before[before.len() - n..]);
            let known = offsets.entry(position.input).or_default();
            *known = position.offset.max(*known);
        }
        let pairs: Vec<_> = offsets.iter().map(|(input, offset)| format!("{input}:{offset} ")).collect();
        self.is_replayable.then(|| pairs.concat().into_bytes())
    }

    fn is_committed(&self, positions: &[Position]) -> bool {
        if self.commits {
            self.commit();
        }
        let state = self.lock();
        let is_committed = |position: &Position| {
            state.committed.get(&position.input).is_some_and(|offset| *offset >= position.offset)
        };
        !self.is_replayable || positions.iter().all(is_committed)
    }
}

fn read(bytes: &[u8]) -> Offsets {
    let text = std::str::from_utf8(bytes).unwrap();
    let pair = |pair: &str| {
        let (input, offset) = pair.split_once(':').unwrap();
        (input.parse().unwrap(), offset.parse().unwrap())
    };
    text.split_whitespace().map(pair).collect()
}

/// Cuts a text into runs.
fn runs(text: &str, n_bytes: usize) -> Vec<Bytes> {
    text.as_bytes().chunks(n_bytes.max(1)).map(Bytes::copy_from_slice).collect()
}
