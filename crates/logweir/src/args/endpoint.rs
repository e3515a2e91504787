//! Which admin endpoint a command asks.

use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct EndpointArgs {
    /// A pipeline file that the running process was started with: its `admin` says where to ask.
    #[arg(value_name = "FILE.yaml", conflicts_with = "url")]
    pub(crate) file: Option<PathBuf>,
    /// The address to ask instead, like `http://127.0.0.1:9598`, which is also the default without a file.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// A file with the token that the endpoint wants: what its pipeline file has at `admin.token`. Without it, the
    /// pipeline file's, or that of the variable `LOGWEIR_TOKEN`.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}
