//! The progress bar: bytes, rate and time left, where the input's size is known and somebody looks.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use logweir_pipeline::Board;

/// How often the bar moves.
const EVERY: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";

/// Moves the bar until dropped; never shows it if standard error is no terminal or some source's size is unknown.
///
/// # Cancel safety
///
/// May be dropped at any time.
pub(crate) async fn draw(bar: &ProgressBar, board: &Board) -> Infallible {
    if std::io::stderr().is_terminal() {
        bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is legal"));
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    let mut interval = tokio::time::interval(EVERY);
    loop {
        interval.tick().await;
        let progress: Vec<_> = board.statuses().iter().map(|status| status.progress()).collect();
        // Sizes become known when a source has found its files, which is after the start.
        let total: Option<u64> = progress.iter().map(|(_, total)| *total).sum();
        if let Some(total) = total {
            bar.set_length(total);
            bar.set_position(progress.iter().map(|(n_read, _)| n_read).sum());
        }
    }
}
