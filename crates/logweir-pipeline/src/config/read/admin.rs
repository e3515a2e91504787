//! Turns checked values into the configuration of the admin endpoint.

use std::net::SocketAddr;

use logweir_sinks::Secret;

use super::{optional, text, texts};
use crate::config::walk::{Checked, Value};
use crate::config::{AdminConfig, TapConfig};

/// The events that one watcher is shown in a second where nothing is said: what a person can just follow.
const DEFAULT_EVENTS_PER_SECOND: u64 = 100;

/// Returns the admin endpoint; `None` where something is bad.
pub(in crate::config) fn admin(config: &Checked) -> Option<AdminConfig> {
    Some(AdminConfig {
        listen: optional(config.get("listen"), address)?.unwrap_or(AdminConfig::LISTEN),
        token: optional(config.get("token"), text)?.map(Secret::new),
        tap: optional(config.get("tap"), tap)?,
    })
}

fn address(value: &Checked) -> Option<SocketAddr> {
    match value.value {
        Value::Address(address) => Some(address),
        _ => None,
    }
}

fn tap(config: &Checked) -> Option<TapConfig> {
    let most = optional(config.get("max_events_per_second"), Checked::integer)?;
    Some(TapConfig {
        redact: optional(config.get("redact"), texts)?.unwrap_or_default(),
        max_events_per_second: most.unwrap_or(DEFAULT_EVENTS_PER_SECOND),
    })
}
