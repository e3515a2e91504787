//! What made-up events are made of. Names and shares follow what a real runtime was seen to write.

/// The first event's time, 2026-11-17.
pub(super) const FIRST_TIMESTAMP_MS: u64 = 1_794_870_000_000;

/// How an invocation may end, other than well or with an exception.
pub(super) const RARE_OUTCOMES: &[&str] =
    &["canceled", "exceededCpu", "exceededMemory", "responseStreamDisconnected", "unknown"];

/// Scripts and whether they have a named entrypoint.
pub(super) const SCRIPTS: &[(&str, &str)] = &[
    ("shop-api", ""),
    ("auth-gateway", ""),
    ("rpc-backend", "Inventory"),
    ("chat-room", "Room"),
    ("img", ""),
];

pub(super) const METHODS: &[&str] = &["GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "OPTIONS"];

pub(super) const STATUSES: &[u16] = &[200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 404, 429, 500];

pub(super) const LEVELS: &[&str] = &["log", "log", "log", "log", "info", "debug", "warn", "error"];

pub(super) const PATHS: &[&str] = &[
    "/",
    "/api/cart/items",
    "/api/products/19f3",
    "/search?q=shoes&page=2&sort=price",
    "/api/checkout/quote?currency=EUR",
    "/static/app.7f3a.js",
    "/caf%C3%A9/menu?lang=fr",
    "/webhooks/payments/settled",
];

/// Names and messages, and for some the stack.
pub(super) const EXCEPTIONS: &[(&str, &str)] = &[
    ("TypeError", "Cannot read properties of undefined (reading 'price')"),
    ("Error", "upstream answered 503 after 3 attempts"),
    ("RangeError", "Invalid time value"),
    ("AuthError", "token expired"),
    ("SyntaxError", "Unexpected token '<', \\\"<!DOCTYPE \\\"... is not valid JSON"),
    ("Error", "Die Verbindung zu \\u00bblager\\u00ab wurde getrennt: Zeit\u{fc}berschreitung"),
];

pub(super) const STACK: &str = "    at priceOf (worker.js:118:21)\\n    at async handle (worker.js:64:9)";

/// Words that fill messages, all ASCII, none with a character that JSON escapes.
pub(super) const WORDS: &[&str] = &[
    "request", "accepted", "cache", "miss", "for", "key", "user", "loaded", "in", "ms", "retrying", "order",
    "queue", "batch", "of", "written", "to", "the", "store", "with", "status", "ok", "session", "expired",
    "and", "renewed",
];

/// Arguments of a log call as they stand in JSON, strings and others, with the odd ones that happen.
pub(super) const ARGUMENTS: &[&str] = &[
    "\"cart updated\"",
    "\"GET /api/cart/items 200 in 12ms\"",
    "\"{\\\"msg\\\":\\\"checkout\\\",\\\"orderId\\\":\\\"o-18423\\\",\\\"items\\\":3,\\\"total\\\":129.9}\"",
    "\"{\\\"level\\\":\\\"info\\\",\\\"span\\\":\\\"db.query\\\",\\\"rows\\\":42,\\\"took\\\":7.25}\"",
    "{\"colo\":\"FRA\",\"attempt\":2,\"ok\":true,\"tags\":[\"a\",\"b\"],\"next\":null}",
    "{\"user\":{\"id\":90071,\"plan\":\"pro\"},\"flags\":{\"beta\":false}}",
    "\"line one\\n\\tline two \\\"quoted\\\" back\\\\slash\"",
    "\"caf\u{e9} \u{65e5}\u{672c}\u{8a9e} \u{1f642} na\u{ef}ve\"",
    "\"https://shop.example.com/p?id=1&ref=mail\"",
    "\"[object Object]\"",
    "42",
    "3.5",
    "1e+21",
    "true",
    "null",
    "[1,2,3]",
];
