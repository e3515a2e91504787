//! The terminal: who holds it gives it back, however it ends.

use std::io::{IsTerminal as _, stdout};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::{Palette, draw};
use super::news::{News, take};
use super::watch::{Watch, Wish};

/// How long a key may wait for the terminal to be looked at, and the screen for news.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A terminal that shows the screen, and is put back as it was when this is dropped; a panic puts it back before it is
/// told.
struct Screen {
    terminal: DefaultTerminal,
    _restored: Restored,
}

/// Puts the terminal back.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        // A terminal that is gone is none to put back.
        let _ = ratatui::try_restore();
    }
}

/// What the terminal tells.
enum Input {
    Quit,
    Wish(Wish),
    /// Something that changes nothing but maybe the size.
    Other,
}

impl Screen {
    fn open() -> anyhow::Result<Self> {
        // First, so that a terminal that was set up in part is put back as well.
        let restored = Restored;
        let terminal = ratatui::try_init().context("the terminal cannot be set up")?;
        Ok(Self { terminal, _restored: restored })
    }
}

/// Tells whether there is a terminal that a screen can be shown on.
pub(super) fn is_there() -> bool {
    stdout().is_terminal()
        && std::io::stdin().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows what the news say until somebody ends it.
///
/// # Errors
///
/// If the terminal fails, or no more news come.
pub(super) fn show(mut watch: Watch, news: &Receiver<News>) -> anyhow::Result<()> {
    let has_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let palette = if has_colour { Palette::Coloured } else { Palette::Plain };
    let mut screen = Screen::open()?;
    loop {
        let now = Instant::now();
        screen
            .terminal
            .draw(|frame| draw(frame, &mut watch, palette, now))
            .context("the terminal has failed")?;
        if event::poll(LOOK_EVERY).context("the terminal has failed")? {
            match read()? {
                Input::Quit => return Ok(()),
                Input::Wish(wish) => watch.wish(wish),
                Input::Other => {}
            }
        }
        loop {
            match news.try_recv() {
                Ok(News::Stop) => return Ok(()),
                Ok(piece) => take(&mut watch, piece),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("an error of ours: nobody scrapes any more"),
            }
        }
    }
}

fn read() -> anyhow::Result<Input> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) =
        event::read().context("the terminal has failed")?
    else {
        return Ok(Input::Other);
    };
    if kind == KeyEventKind::Release {
        return Ok(Input::Other);
    }
    let is_control = modifiers.contains(KeyModifiers::CONTROL);
    Ok(match code {
        KeyCode::Char('c' | 'd') if is_control => Input::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Input::Quit,
        KeyCode::Char('?' | 'h') => Input::Wish(Wish::Help),
        KeyCode::Up | KeyCode::Char('k') => Input::Wish(Wish::Previous),
        KeyCode::Down | KeyCode::Char('j') => Input::Wish(Wish::Next),
        KeyCode::PageUp => Input::Wish(Wish::ScrollUp),
        KeyCode::PageDown => Input::Wish(Wish::ScrollDown),
        _ => Input::Other,
    })
}
