//! Servers that want each event in an envelope: Elasticsearch and Loki.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use logweir_testkit::http_server::{Act, HttpServer, Received, Reply, Script};
use logweir_testkit::process::poll_until;
use serde_json::{Value, json};

use super::{Uploader, upload};
use crate::rig::SOON;

/// When the first event happens, in milliseconds since 1970.
const FIRST_MS: u64 = 1_780_000_000_000;

/// Returns events, each at a time of its own, with what is to be escaped in JSON.
fn events(n_events: u64) -> String {
    let event = |n: u64| {
        format!("{{\"EventTimestampMs\": {}, \"n\":{n},\"s\":\"\\\"\\u00e9\\\\ \u{1f680}\"}}\n", FIRST_MS + n)
    };
    (0..n_events).map(event).collect()
}

/// Returns the lines of a bulk request.
fn lines(request: &Received) -> Vec<Value> {
    let content = request.content();
    assert_eq!(content.last(), Some(&b'\n'), "a bulk request ends in a line feed");
    let lines = content.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).expect("each line is JSON")).collect()
}

/// An index: documents by their ids.
#[derive(Clone, Default)]
struct Index {
    documents: Arc<Mutex<BTreeMap<String, Value>>>,
    /// The ids of each request, in their order.
    asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Index {
    /// Creates what a bulk request asks for, but has no time for more than `most` at once.
    fn create(&self, request: &Received, most: usize) -> Reply {
        assert_eq!(request.method, "POST");
        assert_eq!(request.path.split('?').next(), Some("/_bulk"));
        assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
        let (mut items, mut ids) = (Vec::new(), Vec::new());
        let mut documents = self.documents.lock().unwrap();
        for pair in lines(request).chunks(2) {
            let [action, document] = pair else { panic!("an action without its document") };
            assert_eq!(action["create"]["_index"], "workers", "{action}");
            let id = action["create"]["_id"].as_str().expect("each event has an id").to_owned();
            assert!(documents.get(&id).is_none_or(|known| known == document), "{id} is another event now");
            let status = if items.len() >= most {
                429
            } else if documents.insert(id.clone(), document.clone()).is_some() {
                409
            } else {
                201
            };
            let error = if status == 201 { json!(null) } else { json!({"type": "x", "reason": "y"}) };
            items.push(json!({"create": {"_index": "workers", "_id": id, "status": status, "error": error}}));
            ids.push(id);
        }
        self.asked.lock().unwrap().push(ids);
        let has_errors = items.iter().any(|item| item["create"]["status"] != 201);
        Reply::new(200)
            .header("content-type", "application/json")
            .body(json!({"took": 1, "errors": has_errors, "items": items}).to_string())
    }

    fn creating(&self, most: usize) -> Act {
        let index = self.clone();
        Act::reply_by(move |request| index.create(request, most))
    }

    /// Returns an act that creates everything and then has no good answer.
    fn failing_after_it(&self) -> Act {
        let index = self.clone();
        Act::reply_by(move |request| {
            index.create(request, usize::MAX);
            Reply::new(503)
        })
    }
}

#[test]
fn elasticsearch_has_each_event_once_however_often_it_is_sent() {
    let index = Index::default();
    // All of a batch is created but not confirmed; of another only some is.
    let acts = [index.failing_after_it(), index.creating(10)];
    let server = HttpServer::start(Script::of(acts).then_always(index.creating(usize::MAX)));
    let sink = format!(
        "sink: {{elasticsearch: {{url: '{}', index: workers, user: elastic, password: p, upload: {}}}}}\n",
        server.url(),
        upload("max_uploads: 1")
    );
    let mut uploader = Uploader::start(&sink);
    uploader.offer_text(950, &events(950));
    uploader.wait_until_written();
    uploader.wait_until_ready();
    assert!(uploader.attempts("retry", 503) == 1 && uploader.attempts("retry", 429) == 1);
    uploader.succeed();

    let documents = index.documents.lock().unwrap();
    let numbers: BTreeSet<_> = documents.values().map(|document| document["n"].as_u64().unwrap()).collect();
    assert_eq!((documents.len(), numbers.len()), (950, 950));
    // A batch that was tried again had the same ids, in the same order, and no other batch has any of them.
    let asked = index.asked.lock().unwrap();
    let batches: BTreeSet<_> = asked.iter().collect();
    assert_eq!(asked.len(), batches.len() + 2, "two attempts were in vain");
    let n_ids: usize = batches.iter().map(|ids| ids.len()).sum();
    assert_eq!((n_ids, batches.iter().copied().flatten().collect::<BTreeSet<_>>().len()), (950, 950));
}

#[test]
fn loki_has_each_event_once_at_its_own_time() {
    // As Loki does: the same text at the same time is the same.
    let stream: Arc<Mutex<BTreeSet<(String, String)>>> = Arc::default();
    let push = |answer: u16| {
        let stream = stream.clone();
        Act::reply_by(move |request| {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/loki/api/v1/push"));
            assert_eq!(request.header("content-type"), Some("application/json"));
            assert_eq!(request.header("x-scope-orgid"), Some("acme"));
            let body: Value = serde_json::from_slice(&request.content()).expect("the body is JSON");
            let streams = body["streams"].as_array().expect("streams");
            assert_eq!((streams.len(), &streams[0]["stream"]), (1, &json!({"job": "workers"})));
            for value in streams[0]["values"].as_array().expect("values") {
                let text = |i: usize| value[i].as_str().expect("time and event are strings").to_owned();
                stream.lock().unwrap().insert((text(0), text(1)));
            }
            Reply::new(answer)
        })
    };
    let server = HttpServer::start(Script::of([push(503), push(429)]).then_always(push(204)));
    let sink = format!(
        "sink: {{loki: {{url: '{}', labels: {{job: workers}}, tenant: acme, upload: {}}}}}\n",
        server.url(),
        upload("")
    );
    let mut uploader = Uploader::start(&sink);
    uploader.offer_text(950, &events(950));
    uploader.wait_until_written();
    uploader.wait_until_ready();
    poll_until("it is counted", SOON, || (uploader.attempts("ok", 204) > 0).then_some(()));
    assert!(uploader.attempts("retry", 503) == 1 && uploader.attempts("retry", 429) == 1);
    uploader.succeed();

    let expected: BTreeSet<_> = events(950)
        .lines()
        .enumerate()
        .map(|(n, event)| (format!("{}000000", FIRST_MS + n as u64), event.to_owned()))
        .collect();
    assert!(*stream.lock().unwrap() == expected, "what Loki has is not what was written");
}
