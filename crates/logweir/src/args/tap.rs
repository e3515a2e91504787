//! What `logweir tap` is told.

use super::EndpointArgs;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Shows what the filter of a running pipeline lets through; its pipeline file says where to ask, and with which token.
  logweir tap shop.yaml --after filter | jq .ScriptName

  # Shows what the filter drops, ten events of it.
  logweir tap shop.yaml --after filter --dropped --limit 10

  # Shows one event in a hundred as an output writes it.
  logweir tap shop.yaml --after encode --output archive --rate 0.01

  # Asks another machine through a tunnel, with the token in the environment.
  ssh -fNL 9598:127.0.0.1:9598 logs.example
  LOGWEIR_TOKEN=$(cat token) logweir tap --url http://127.0.0.1:9598 --after decode";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TapArgs {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArgs,
    /// The place to watch: `decode`, `filter`, `sample`, `truncate`, `stages[0]` or `encode`. A place that there is not is
    /// answered with those there are.
    #[arg(long, value_name = "STAGE")]
    pub(crate) after: String,
    /// The output whose stage or encoder is meant, where a pipeline has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) output: Option<String>,
    /// The pipeline, where the process runs several.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// Shows the events that went there instead of those that went on; behind `decode`, the malformed lines.
    #[arg(long)]
    pub(crate) dropped: bool,
    /// The share of the events to show, greater than 0 and at most 1.
    #[arg(long, default_value_t = 1.0, value_parser = parse_rate)]
    pub(crate) rate: f64,
    /// Ends after so many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0);
    rate.ok_or_else(|| String::from("it must be greater than 0 and at most 1, as 0.1"))
}
