//! What `logweir completions` is told.

use clap_complete::Shell;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # bash: in new shells of yours.
  logweir completions bash > ~/.local/share/bash-completion/completions/logweir

  # zsh: into a directory of $fpath.
  logweir completions zsh > ~/.zfunc/_logweir

  # fish: in new shells of yours.
  logweir completions fish > ~/.config/fish/completions/logweir.fish

  # bash: in this shell only.
  source <(logweir completions bash)";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
