//! The fields of Logpush's dataset `workers_trace_events`.

/// The name of the dataset.
pub(super) const WORKERS: &str = "workers_trace_events";

/// What a field holds, as far as a filter has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FieldType {
    Int,
    String,
    /// An array of strings.
    Array,
    /// An object or an array of them, which no filter can ask for.
    Object,
}

/// The documented fields in alphabetical order, which is the order that a job without `field_names` writes.
pub(super) const FIELDS: [(&str, FieldType); 13] = [
    ("CPUTimeMs", FieldType::Int),
    ("DispatchNamespace", FieldType::String),
    ("Entrypoint", FieldType::String),
    ("Event", FieldType::Object),
    ("EventTimestampMs", FieldType::Int),
    ("EventType", FieldType::String),
    ("Exceptions", FieldType::Object),
    ("Logs", FieldType::Object),
    ("Outcome", FieldType::String),
    ("ScriptName", FieldType::String),
    ("ScriptTags", FieldType::Array),
    ("ScriptVersion", FieldType::Object),
    ("WallTimeMs", FieldType::Int),
];

/// Paths that are known to lead to something, in what events of some kinds hold. There are others.
pub(super) const PATHS: [&str; 23] = [
    "Event.RayID",
    "Event.Request",
    "Event.Request.URL",
    "Event.Request.Method",
    "Event.Response",
    "Event.Response.Status",
    "Event.Cron",
    "Event.ScheduledTimeMs",
    "Event.ScriptName",
    "Event.Queue",
    "Event.BatchSize",
    "Event.MailFrom",
    "Event.RcptTo",
    "Event.RawSize",
    "ScriptVersion.ID",
    "ScriptVersion.Message",
    "ScriptVersion.Tag",
    "Exceptions.Name",
    "Exceptions.Message",
    "Exceptions.TimestampMs",
    "Logs.Level",
    "Logs.Message",
    "Logs.TimestampMs",
];

impl FieldType {
    /// Returns the type of a documented field.
    pub(super) fn of(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(field, _)| *field == name).map(|(_, kind)| *kind)
    }

    /// Returns what the documentation calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}
