//! Asks the endpoint for metrics, again and again on one connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use anyhow::Context as _;

use super::PATIENCE;
use super::live::Live;

/// Far more than any answer has; more is none of ours.
const MAX_BODY_BYTES: usize = 16 << 20;

/// A connection to the endpoint.
pub(super) struct Scraper {
    connection: BufReader<TcpStream>,
    /// What is sent each time.
    request: Vec<u8>,
    /// The last answer.
    body: Vec<u8>,
}

/// The books of a pipeline with one sink, at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Books {
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) in_flight: u64,
}

impl Scraper {
    /// Connects as soon as a run listens.
    ///
    /// # Errors
    ///
    /// If it ends before, or does not listen for long.
    pub(super) fn connect(live: &Live, address: SocketAddr) -> anyhow::Result<Self> {
        live.wait_for("the endpoint for metrics", || match Self::new(address) {
            Ok(scraper) => Ok(Some(scraper)),
            Err(error) if live.started().elapsed() > PATIENCE => Err(error.into()),
            Err(_) => Ok(None),
        })
    }

    fn new(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes();
        Ok(Self { connection: BufReader::with_capacity(64 << 10, stream), request, body: Vec::new() })
    }

    /// Returns the books as they are now.
    ///
    /// # Errors
    ///
    /// If there is no answer, or another than that.
    pub(super) fn books(&mut self) -> anyhow::Result<Books> {
        self.connection.get_mut().write_all(&self.request)?;
        let mut line = String::new();
        self.connection.read_line(&mut line)?;
        anyhow::ensure!(line.starts_with("HTTP/1.1 200"), "/metrics answers {line:?}");
        let mut n_bytes = None;
        loop {
            line.clear();
            self.connection.read_line(&mut line)?;
            match line.split_once(':') {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    n_bytes = Some(value.trim().parse::<usize>()?);
                }
                Some(_) => {}
            }
        }
        let n_bytes =
            n_bytes.filter(|&n| n <= MAX_BODY_BYTES).context("/metrics answers without a length")?;
        self.body.resize(n_bytes, 0);
        self.connection.read_exact(&mut self.body)?;
        Books::read_from(std::str::from_utf8(&self.body)?)
    }

    /// Waits until so many events have been read and none of them is on its way; returns the books then.
    ///
    /// # Errors
    ///
    /// If that does not come for long.
    pub(super) fn wait_for_all(&mut self, live: &Live, n_events: u64) -> anyhow::Result<Books> {
        let begun = Instant::now();
        live.wait_for("all events", || {
            let books = self.books()?;
            anyhow::ensure!(
                begun.elapsed() < PATIENCE,
                "{n_events} events are not through in {PATIENCE:?}: {books:?}"
            );
            Ok(books.is_through(n_events).then_some(books))
        })
    }
}

impl Books {
    /// Returns whether so many events have been read, and none of them is on its way.
    pub(super) fn is_through(&self, n_events: u64) -> bool {
        self.read >= n_events && self.in_flight == 0
    }

    /// Reads Prometheus' text format.
    fn read_from(text: &str) -> anyhow::Result<Self> {
        let value = |name: &str| {
            let behind = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
            let value = behind.and_then(|behind| behind.rsplit(' ').next()?.parse().ok());
            value.with_context(|| format!("/metrics does not tell {name}"))
        };
        Ok(Self {
            read: value("logweir_events_read_total")?,
            written: value("logweir_events_written_total")?,
            in_flight: value("logweir_events_in_flight")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answer(read: u64, written: u64, in_flight: u64) -> String {
        let body = format!(
            "# TYPE logweir_events_read_total counter\nlogweir_events_read_total{{pipeline=\"p q\"}} {read}\n\n\
             logweir_events_read_total_of_others{{pipeline=\"p\"}} 99\n\
             logweir_events_written_total{{pipeline=\"p\"}} {written}\n\
             logweir_events_in_flight{{pipeline=\"p\"}} {in_flight}\n"
        );
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\ndate: now\r\n\r\n{body}", body.len())
    }

    #[test]
    fn answers_on_one_connection_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut connection = BufReader::new(listener.accept().unwrap().0);
                for text in [answer(5, 1, 4), answer(12_345, 12_340, 0)] {
                    let mut line = String::new();
                    while line != "\r\n" {
                        line.clear();
                        connection.read_line(&mut line).unwrap();
                    }
                    connection.get_mut().write_all(text.as_bytes()).unwrap();
                }
            });
            let mut scraper = Scraper::new(address).unwrap();
            let first = scraper.books().unwrap();
            assert_eq!(first, Books { read: 5, written: 1, in_flight: 4 });
            assert!(!first.is_through(5));
            let second = scraper.books().unwrap();
            assert_eq!(second, Books { read: 12_345, written: 12_340, in_flight: 0 });
            assert!(second.is_through(12_345) && !second.is_through(12_346));
            assert!(scraper.books().is_err(), "the connection is closed");
        });
    }

    #[test]
    fn what_is_not_told_is_an_error() {
        assert!(Books::read_from("logweir_events_read_total{pipeline=\"p\"} 1\n").is_err());
        assert!(Books::read_from("logweir_events_read_total{pipeline=\"p\"} many\n").is_err());
    }
}
