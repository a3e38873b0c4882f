//! What this container was started with.

use std::env;

use serde_json::json;

use crate::http::{Response, Status};
use crate::page::{Tab, layout, table};

pub(crate) fn page() -> Response {
    let arguments: Vec<(String, String)> =
        env::args().enumerate().map(|(index, it)| (index.to_string(), it)).collect();
    let body = format!(
        "<section><h2>Command line</h2>{}</section><section><h2>Environment</h2>{}</section>",
        table(["Argument", "Value"], &arguments),
        table(["Variable", "Value"], &variables()),
    );
    Response::html(Status::Ok, layout(Tab::Environment, "Server environment", &body))
}

pub(crate) fn api() -> Response {
    let variables: serde_json::Map<String, serde_json::Value> =
        variables().into_iter().map(|(name, value)| (name, value.into())).collect();
    Response::json(&json!({ "commandLine": env::args().collect::<Vec<_>>(), "env": variables }))
}

fn variables() -> Vec<(String, String)> {
    let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
    let mut variables: Vec<(String, String)> =
        env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    variables.sort();
    variables
}
