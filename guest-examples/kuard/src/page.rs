//! How every page looks: the frame with its tabs, and a table. Plain HTML, no script.

use std::env;
use std::fmt::Write as _;

use crate::http::{Response, Status};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Request,
    Environment,
    Memory,
    Liveness,
    Readiness,
    Dns,
    Files,
}

impl Tab {
    const ALL: [Self; 7] = [
        Self::Request,
        Self::Environment,
        Self::Memory,
        Self::Liveness,
        Self::Readiness,
        Self::Dns,
        Self::Files,
    ];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Request => "/",
            Self::Environment => "/-/env",
            Self::Memory => "/-/mem",
            Self::Liveness => "/-/liveness",
            Self::Readiness => "/-/readiness",
            Self::Dns => "/-/dns",
            Self::Files => "/fs/",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Request => "Request details",
            Self::Environment => "Server environment",
            Self::Memory => "Memory",
            Self::Liveness => "Liveness probe",
            Self::Readiness => "Readiness probe",
            Self::Dns => "DNS query",
            Self::Files => "File system",
        }
    }
}

/// A whole page round `body`, which is HTML.
pub(crate) fn layout(current: Tab, heading: &str, body: &str) -> String {
    let mut tabs = String::new();
    for tab in Tab::ALL {
        let here = if tab == current { " aria-current=page" } else { "" };
        let _ = write!(tabs, "<a href=\"{}\"{here}>{}</a>", tab.path(), tab.title());
    }
    let host = env::var("HOSTNAME").map(|name| format!("on {name}")).unwrap_or_default();
    format!(
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <link rel=icon href=\"data:,\"><title>{heading} · kuard</title>\
         <style>:root{{--accent:{accent}}}{STYLE}</style></head><body>\
         <header><strong>kuard</strong><span>{host}</span></header>\
         <div class=frame><nav>{tabs}</nav><main><h1>{heading}</h1>{body}</main></div></body></html>",
        heading = escape(heading),
        host = escape(&host),
        accent = accent(),
    )
}

pub(crate) fn not_found(path: &str) -> Response {
    let body = format!(
        "<section><p class=report>Nothing is served at <code>{}</code></p></section>",
        escape(path),
    );
    Response::html(Status::NotFound, layout(Tab::Request, "Not found", &body))
}

/// A table of text cells. Empty headings mean none are shown.
pub(crate) fn table<const COLUMNS: usize, Row: Cells<COLUMNS>>(
    headings: [&str; COLUMNS],
    rows: &[Row],
) -> String {
    let mut html = String::from("<table class=cells>");
    if headings.iter().any(|it| !it.is_empty()) {
        html += "<thead><tr>";
        for heading in headings {
            let _ = write!(html, "<th>{}</th>", escape(heading));
        }
        html += "</tr></thead>";
    }
    html += "<tbody>";
    for row in rows {
        html += "<tr>";
        for cell in row.cells() {
            let _ = write!(html, "<td>{}</td>", escape(cell));
        }
        html += "</tr>";
    }
    html += "</tbody></table>";
    if rows.is_empty() { String::from("<p class=hint>None yet</p>") } else { html }
}

/// What can be a row of [`table`].
pub(crate) trait Cells<const COLUMNS: usize> {
    fn cells(&self) -> [&str; COLUMNS];
}

impl<Name: AsRef<str>> Cells<2> for (Name, String) {
    fn cells(&self) -> [&str; 2] {
        [self.0.as_ref(), &self.1]
    }
}

impl<const COLUMNS: usize> Cells<COLUMNS> for [String; COLUMNS] {
    fn cells(&self) -> [&str; COLUMNS] {
        self.each_ref().map(String::as_str)
    }
}

/// Text as it may stand in HTML, attribute values in double quotes included.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            other => html.push(other),
        }
    }
    html
}

/// The demo comes in colours, to tell versions apart at a glance: `KUARD_COLOR`, blue unless said.
fn accent() -> &'static str {
    match env::var("KUARD_COLOR").as_deref() {
        Ok("green") => "#18794e",
        Ok("purple") => "#7c3aed",
        _ => "#1d5fbf",
    }
}

const STYLE: &str = "
:root{color-scheme:light dark;--ground:#f5f6f8;--paper:#fff;--line:#e2e5ea;--ink:#1c2128;--soft:#667080}
@media(prefers-color-scheme:dark){:root{--ground:#14171c;--paper:#1d2127;--line:#323842;--ink:#e6e9ee;
--soft:#98a2b0}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
header{background:var(--accent);color:#fff;padding:.9rem 1.5rem;display:flex;gap:1rem;
align-items:baseline}
header strong{font-size:1.25rem;letter-spacing:.02em}header span{opacity:.85}
.frame{display:flex;max-width:70rem;margin:0 auto;gap:1.5rem;padding:1.5rem}
nav{flex:0 0 12rem;display:flex;flex-direction:column;gap:.15rem}
nav a{padding:.45rem .8rem;border-radius:.4rem;color:inherit;text-decoration:none}
nav a:hover{background:var(--line)}
nav a[aria-current]{background:var(--accent);color:#fff;font-weight:600}
main{flex:1;min-width:0}
h1{margin:0 0 1rem;font-size:1.5rem}h2{margin:0 0 .6rem;font-size:1.05rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;
padding:1rem 1.2rem;margin-bottom:1rem}
table{width:100%;border-collapse:collapse}
th{text-align:left;color:var(--soft);font-weight:600}
th,td{padding:.35rem 1rem .35rem 0;border-top:1px solid var(--line);vertical-align:top;
overflow-wrap:anywhere}
tr:first-child th,thead+tbody:not(:first-child) tr td{border-top:1px solid var(--line)}
thead tr th,table>tbody:first-child>tr:first-child td{border-top:0}
.cells td:first-child{width:11rem}td:first-child{white-space:nowrap;color:var(--soft)}td a{color:var(--accent)}
.number{text-align:right;font-variant-numeric:tabular-nums;padding-right:0}
.row{display:flex;flex-wrap:wrap;gap:.7rem;align-items:center;margin:.6rem 0}
input{font:inherit;padding:.35rem .5rem;border:1px solid var(--line);border-radius:.4rem;
background:var(--ground);color:inherit;width:9rem}
button{font:inherit;padding:.4rem 1rem;border:0;border-radius:.4rem;background:var(--accent);
color:#fff;cursor:pointer}
button:hover{filter:brightness(1.1)}
.state{display:inline-block;margin:0;padding:.2rem .7rem;border-radius:1rem;font-weight:600}
.good{background:#d8f3e3;color:#0f5132}.bad{background:#fbdcdc;color:#842029}
.report{padding:.6rem .8rem;border-left:4px solid var(--accent);background:var(--ground)}
.hint{color:var(--soft);margin:.6rem 0 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}pre{overflow:auto;margin:0}
@media(max-width:44rem){.frame{flex-direction:column}nav{flex:none;flex-direction:row;flex-wrap:wrap}}
";
