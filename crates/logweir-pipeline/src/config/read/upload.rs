//! Makes the configuration of a sink that uploads batches.

use logweir_sinks::{BatchConfig, DeliveryConfig, OnReject, SpoolConfig, UploadSinkConfig};

use super::destination::{destination, kind};
use super::{compression, duration, optional};
use crate::config::walk::Checked;

/// The level of gzip where none is given: as fast as it goes, since much is compressed while events wait.
const DEFAULT_GZIP_LEVEL: u64 = 1;

/// Returns the configuration of a sink that uploads batches; `None` if it is none, or bad.
pub(super) fn upload_sink(sink: &Checked) -> Option<UploadSinkConfig> {
    let (_, map) = kind(sink)?;
    let mut config = UploadSinkConfig::new(destination(sink, &mut Vec::new())?);
    let Some(given) = map.get("upload") else { return Some(config) };
    config.batch = batch(given)?;
    config.compression = compression(given, UploadSinkConfig::COMPRESSION, DEFAULT_GZIP_LEVEL)?;
    config.delivery = delivery(given)?;
    if let Some(max_bytes) = optional(given.get("spool_bytes"), Checked::integer)? {
        config.spool = SpoolConfig { max_bytes };
    }
    Some(config)
}

fn batch(given: &Checked) -> Option<BatchConfig> {
    let defaults = BatchConfig::default();
    Some(BatchConfig {
        max_bytes: optional(given.get("max_bytes"), Checked::integer)?,
        max_events: optional(given.get("max_events"), Checked::integer)?.unwrap_or(defaults.max_events),
        max_interval: optional(given.get("max_interval"), duration)?.unwrap_or(defaults.max_interval),
    })
}

fn delivery(given: &Checked) -> Option<DeliveryConfig> {
    let mut delivery = DeliveryConfig::default();
    if let Some(n) = optional(given.get("max_uploads"), Checked::integer)? {
        delivery.max_uploads = usize::try_from(n).ok()?;
    }
    if let Some(on_reject) = given.get("on_reject") {
        delivery.on_reject = match on_reject.text()? {
            "hold" => OnReject::Hold,
            "drop" => OnReject::Drop,
            _ => return None,
        };
    }
    for (name, value) in [
        ("first_pause", &mut delivery.first_pause),
        ("longest_pause", &mut delivery.longest_pause),
        ("connect_timeout", &mut delivery.timeouts.connect),
        ("tls_timeout", &mut delivery.timeouts.tls_handshake),
        ("progress_timeout", &mut delivery.timeouts.progress),
        ("answer_timeout", &mut delivery.timeouts.answer),
    ] {
        if let Some(given) = optional(given.get(name), duration)? {
            *value = given;
        }
    }
    Some(delivery)
}
