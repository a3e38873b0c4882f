//! A probe's endpoint and the switch that makes it fail.
//!
//! `PUT <path>/api` with `{"failNext": N}`: the next N probes fail, 0 ends it, below 0 all fail.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde_json::json;

use crate::http::{Request, Response, Status};
use crate::page::{Tab, layout, table};
use crate::router::bad_request;

const HISTORY: usize = 20;

pub(crate) struct Probe {
    path: &'static str,
    tab: Tab,
    fail: Fail,
    calls: u64,
    history: VecDeque<Call>,
}

#[derive(Clone, Copy)]
enum Fail {
    Next(u32),
    Always,
}

struct Call {
    number: u64,
    at: SystemTime,
    by: String,
    status: Status,
}

impl Probe {
    pub(crate) fn new(path: &'static str, tab: Tab) -> Self {
        Self { path, tab, fail: Fail::Next(0), calls: 0, history: VecDeque::new() }
    }

    /// Answers the probe itself.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        let status = match &mut self.fail {
            Fail::Next(0) => Status::Ok,
            Fail::Next(left) => {
                *left -= 1;
                Status::InternalServerError
            }
            Fail::Always => Status::InternalServerError,
        };
        self.calls += 1;
        let by = request.peer.map(|peer| peer.ip().to_string()).unwrap_or_default();
        self.history.push_front(Call { number: self.calls, at: SystemTime::now(), by, status });
        self.history.truncate(HISTORY);
        Response::text(status, if status == Status::Ok { "ok" } else { "fail" })
    }

    pub(crate) fn page(&self) -> Response {
        let state = match self.fail {
            Fail::Next(0) => String::from("<p class='state good'>answers 200</p>"),
            Fail::Next(left) => format!("<p class='state bad'>fails for the next {left} calls</p>"),
            Fail::Always => String::from("<p class='state bad'>fails until told otherwise</p>"),
        };
        let calls: Vec<[String; 4]> = self.history.iter().map(Call::cells).collect();
        let body = format!(
            "<section><h2><code>{path}</code></h2>{state}\
             <form method=post class=row><button name=fail value=0 formnovalidate>Succeed</button>\
             <button name=fail value=-1 formnovalidate>Fail</button></form>\
             <form method=post class=row>\
             <label>Fail for the next <input name=fail type=number min=1 max=1000000 value=3 required> \
             calls</label><button>Set</button></form></section>\
             <section><h2>Last calls</h2>{calls}</section>",
            path = self.path,
            calls = table(["Call", "When", "From", "Answer"], &calls),
        );
        Response::html(Status::Ok, layout(self.tab, self.tab.title(), &body))
    }

    pub(crate) fn form(&mut self, request: &Request) -> Response {
        match request.field("fail").and_then(|text| text.parse().ok()).and_then(fail_next) {
            Some(fail) => {
                self.fail = fail;
                Response::see_other(self.tab.path())
            }
            None => bad_request("`fail` must be a whole number: -1 for ever, 0 never"),
        }
    }

    pub(crate) fn api(&mut self, request: &Request) -> Response {
        if request.method == "PUT" {
            let body: Result<serde_json::Value, _> = serde_json::from_slice(&request.body);
            let wanted = body.ok().and_then(|body| body.get("failNext")?.as_i64());
            match wanted.and_then(fail_next) {
                Some(fail) => self.fail = fail,
                None => return bad_request("the body must be {\"failNext\": NUMBER}"),
            }
        }
        let history: Vec<serde_json::Value> = self.history.iter().map(Call::json).collect();
        let fail_next = match self.fail {
            Fail::Next(left) => i64::from(left),
            Fail::Always => -1,
        };
        Response::json(&json!({
            "probePath": self.path,
            "failNext": fail_next,
            "history": history,
        }))
    }
}

fn fail_next(number: i64) -> Option<Fail> {
    if number < 0 { Some(Fail::Always) } else { u32::try_from(number).ok().map(Fail::Next) }
}

impl Call {
    fn cells(&self) -> [String; 4] {
        [
            self.number.to_string(),
            self.when(),
            self.by.clone(),
            format!("{} {}", self.status.code(), self.status.phrase()),
        ]
    }

    fn json(&self) -> serde_json::Value {
        json!({ "id": self.number, "when": self.when(), "code": self.status.code() })
    }

    fn when(&self) -> String {
        httpdate::fmt_http_date(self.at)
    }
}
