//! What the server does, request by request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request::Received;

/// What the server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// Returns one with this status and no body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header. `Content-Length` is added by itself, unless there is one.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Returns its head as it is sent.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        let mut add = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            add("Content-Length", &self.body.len().to_string());
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Returns all of its bytes as they are sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// How a server leaves a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It keeps the connection and does nothing more.
    Stall,
    /// It resets the connection: the client's next read or write fails.
    Reset,
    /// It closes the connection in good order, and reads what still comes.
    Close,
}

/// What the server does with one request. Unless told otherwise it reads all of it first.
///
/// ```
/// use std::time::Duration;
/// use logweir_testkit::http_server::{Act, Fault, Reply};
///
/// let throttled = Act::reply(Reply::new(429).header("Retry-After", "7"));
/// let slow_loris = Act::status(200).dribbling(Duration::from_millis(50));
/// let stalled_upload = Act::fault(Fault::Stall).reading(100_000);
/// let torn_answer = Act::reply(Reply::new(200).body("half of this")).breaking_off(30, Fault::Reset);
/// # drop((throttled, slow_loris, stalled_upload, torn_answer));
/// ```
#[derive(Clone, Debug)]
pub struct Act {
    pub(super) reading: Reading,
    pub(super) delay: Duration,
    pub(super) ending: Ending,
}

/// How much of a request's body is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    Whole,
    /// So many bytes, if there are as many.
    UpTo(usize),
    /// All, so many bytes at a time.
    Slowly {
        n_bytes: usize,
        every: Duration,
    },
}

/// What follows the request.
#[derive(Clone)]
pub(super) enum Ending {
    Reply(Reply),
    By(Arc<dyn Fn(&Received) -> Reply + Send + Sync>),
    Dribble(Reply, Duration),
    /// So many bytes of the reply, head included, then a fault.
    Part(Reply, usize, Fault),
    Bytes(Vec<u8>),
    Fault(Fault),
}

impl Act {
    fn ending(ending: Ending) -> Self {
        Self { reading: Reading::Whole, delay: Duration::ZERO, ending }
    }

    /// Answers with a status alone.
    pub fn status(status: u16) -> Self {
        Self::reply(Reply::new(status))
    }

    /// Answers.
    pub fn reply(reply: Reply) -> Self {
        Self::ending(Ending::Reply(reply))
    }

    /// Answers with what a function makes of the request.
    pub fn reply_by(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::ending(Ending::By(Arc::new(answer)))
    }

    /// Does not answer.
    pub fn fault(fault: Fault) -> Self {
        Self::ending(Ending::Fault(fault))
    }

    /// Says these bytes, which may be no HTTP, and closes the connection.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::ending(Ending::Bytes(bytes.into()))
    }

    /// Reads `n_bytes` of the body before what follows. If that is an answer, the connection is closed after it, and
    /// what still comes is thrown away.
    #[must_use]
    pub fn reading(mut self, n_bytes: usize) -> Self {
        self.reading = Reading::UpTo(n_bytes);
        self
    }

    /// Reads the body, but only so many bytes, at most, in such a time.
    #[must_use]
    pub fn reading_slowly(mut self, n_bytes: usize, every: Duration) -> Self {
        self.reading = Reading::Slowly { n_bytes, every };
        self
    }

    /// Lets time pass between the request and what follows.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends its reply a byte at a time.
    #[must_use]
    pub fn dribbling(mut self, every: Duration) -> Self {
        if let Ending::Reply(reply) = self.ending {
            self.ending = Ending::Dribble(reply, every);
        }
        self
    }

    /// Sends `n_bytes` of its reply, of which the head comes first, and leaves.
    #[must_use]
    pub fn breaking_off(mut self, n_bytes: usize, fault: Fault) -> Self {
        if let Ending::Reply(reply) = self.ending {
            self.ending = Ending::Part(reply, n_bytes, fault);
        }
        self
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => write!(f, "{reply:?}"),
            Self::By(_) => f.write_str("By(..)"),
            Self::Dribble(reply, every) => write!(f, "Dribble({reply:?}, {every:?})"),
            Self::Part(reply, n_bytes, fault) => write!(f, "Part({reply:?}, {n_bytes}, {fault:?})"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Fault(fault) => write!(f, "{fault:?}"),
        }
    }
}

/// An act for each request, in the order in which their heads come in.
#[derive(Clone, Debug)]
pub struct Script {
    /// Those for the first requests.
    first: Vec<Act>,
    /// Those for the others, again and again. Not empty.
    rest: Vec<Act>,
    n_played: usize,
}

impl Script {
    /// Does the same with every request.
    pub fn always(act: Act) -> Self {
        Self { first: Vec::new(), rest: vec![act], n_played: 0 }
    }

    /// Plays these, and then answers 200 to whatever comes.
    pub fn of(acts: impl IntoIterator<Item = Act>) -> Self {
        Self { first: acts.into_iter().collect(), ..Self::always(Act::status(200)) }
    }

    /// Plays these again and again: a server that flaps.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn cycle(acts: impl IntoIterator<Item = Act>) -> Self {
        let rest: Vec<_> = acts.into_iter().collect();
        assert!(!rest.is_empty(), "a cycle of nothing");
        Self { first: Vec::new(), rest, n_played: 0 }
    }

    /// Does this with every request for which it has no other act.
    #[must_use]
    pub fn then_always(mut self, act: Act) -> Self {
        self.rest = vec![act];
        self
    }

    /// Returns the act for the next request.
    pub(super) fn next_act(&mut self) -> Act {
        let n = self.n_played;
        self.n_played += 1;
        match self.first.get(n) {
            Some(act) => act.clone(),
            None => self.rest[(n - self.first.len()) % self.rest.len()].clone(),
        }
    }
}
