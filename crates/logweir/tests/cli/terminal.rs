//! The binary as somebody has it before him who types.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use logweir_testkit::process::{Signal, poll_until, send_signal};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::rig::SOON;

/// The binary on a terminal of its own.
pub(crate) struct OnTerminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl OnTerminal {
    /// Starts the binary in a directory with these arguments, on a terminal of 80 by 24.
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(24, 80)).expect("a terminal can be had");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logweir"));
        command.args(args);
        command.cwd(dir);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        let mut output = pair.master.try_clone_reader().expect("a terminal can be read");
        let keys = pair.master.take_writer().expect("a terminal can be written");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(not_zero(24), not_zero(80), 0)));
        let shown = screen.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..n]);
            }
        });
        Self { master: pair.master, keys, child, screen }
    }

    /// Waits until what can be read on the screen is as wanted, and returns it.
    pub(crate) fn wait_for(&self, what: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        poll_until(what, SOON, || {
            let text = self.screen.lock().unwrap().screen().contents();
            is_wanted(&text).then_some(text)
        })
    }

    /// Types these keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal takes keys");
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(not_zero(rows), not_zero(columns));
        self.master.resize(size(rows, columns)).expect("a terminal can be resized");
    }

    /// Returns whether it has the screen to itself, to give it back in the end.
    pub(crate) fn is_full_screen(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    pub(crate) fn send(&self, signal: Signal) {
        send_signal(self.child.process_id().expect("it runs"), signal);
    }

    /// Waits for the end, and checks that it came with this exit code and that the terminal was given back.
    pub(crate) fn wait_until_ended(mut self, code: u32) {
        let status = poll_until("it ends", SOON, || self.child.try_wait().expect("a child can be asked"));
        assert_eq!(status.exit_code(), code, "{status:?}");
        poll_until("the screen is given back", SOON, || {
            let parser = self.screen.lock().unwrap();
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        });
    }
}

fn not_zero(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has a size")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
