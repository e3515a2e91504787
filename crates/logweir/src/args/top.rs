//! What `logweir top` is told.

use std::time::Duration;

use super::EndpointArgs;
use crate::selftest::parse_duration;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Watches the process that runs this file; its `admin` says where to ask.
  logweir top /etc/logweir/shop.yaml

  # Watches whatever has its admin endpoint at the default address, or at another.
  logweir top
  logweir top --url http://10.0.0.7:9598

  # Watches a machine whose endpoint is reached from there only.
  ssh -fNL 9598:127.0.0.1:9598 logs.example && logweir top

  # Rates over ten seconds as text, for a ticket.
  logweir top --once --interval 10s shop.yaml";

/// The shortest time between two scrapes.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArgs,
    /// How often it looks, as in `500ms` or `5s`; rates are those of this time.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_interval)]
    pub(crate) interval: Duration,
    /// Prints what it sees once, as text, with rates over one interval; it does so too where there is no terminal.
    #[arg(long)]
    pub(crate) once: bool,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if (SHORTEST..=LONGEST).contains(&interval) {
        return Ok(interval);
    }
    Err("it must be from 100ms to 1h".to_owned())
}
