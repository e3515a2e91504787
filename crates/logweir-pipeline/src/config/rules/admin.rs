//! The rules of the admin endpoint.

use crate::config::problem::Report;
use crate::config::read;
use crate::config::walk::Checked;

/// The shortest token: one that nobody finds by trying.
const MIN_TOKEN: usize = 16;

/// The longest token: what is sent is compared with it at this length, whatever it is.
const MAX_TOKEN: usize = 256;

/// Checks the admin endpoint of a file.
pub(super) fn check(root: &Checked, report: &mut Report<'_>) {
    let Some(admin) = root.get("admin") else { return };
    if let Some((token, text)) = admin.get("token").and_then(|token| Some((token, token.text()?))) {
        let help =
            "make one with `openssl rand -hex 24`, and have it here as `${file:/path}` or `${VARIABLE}`";
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "this token has a character that no header may have";
            report.add_with_help(token.place, message, help);
        } else if text.len() < MIN_TOKEN {
            let message = format!("this token has fewer than {MIN_TOKEN} characters");
            report.add_with_help(token.place, message, help);
        } else if text.len() > MAX_TOKEN {
            report.add_with_help(
                token.place,
                format!("this token has more than {MAX_TOKEN} characters"),
                help,
            );
        }
    }
    let Some(place) = admin.key_place("tap") else { return };
    if admin.get("token").is_none() {
        let help = "add `token: ${ADMIN_TOKEN}` beside it, and set that variable";
        report.add_with_help(place, "events are shown only to who has the token, and there is none", help);
    }
    if read::admin(admin).is_some_and(|config| !config.listen.ip().is_loopback()) {
        report.warn(
            place,
            "others than this machine reach the admin endpoint, and the token and events go to them unencrypted",
            "have it listen on 127.0.0.1, or only on a network that you trust",
        );
    }
    let redacted = admin.get("tap").and_then(|tap| tap.get("redact"));
    for field in redacted.map_or(&[][..], Checked::items) {
        check_redacted(field, report);
    }
}

/// Checks that a field to be hidden can be one: what nothing is found by hides nothing, and nobody would notice.
fn check_redacted(field: &Checked, report: &mut Report<'_>) {
    let Some(text) = field.text() else { return };
    let is_path = |text: &str| text.split('.').all(|name| !name.is_empty() && name.trim() == name);
    if !is_path(text) || text.contains(['[', ']', '*']) {
        let help = "a path is names with dots between them, as `Event.Request.Headers`; it leads into each element of a list \
                    by itself";
        report.add_with_help(field.place, "this leads to no field, so nothing would be hidden", help);
    }
}
