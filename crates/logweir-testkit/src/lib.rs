//! What logweir's tests share, and nothing else may use.
//!
//! [`oracle`] says what must come out, by the plainest of means; [`generate`] makes workloads and [`strategies`]
//! makes odd input; [`samples`] has real events and worked cases; [`process`] and [`scratch`] are for tests of
//! the real binary, [`http_server`] is what it sends to, [`allocations`] for tests of what allocates,
//! [`compress`] for those of what decompresses, [`service`] starts the servers of others.

pub mod allocations;
pub mod compress;
pub mod generate;
pub mod http_server;
pub mod oracle;
pub mod process;
pub mod samples;
pub mod scratch;
pub mod service;
pub mod strategies;
