//! Finding patterns in text.

use std::fmt::Write as _;

use regex::Regex;

use crate::{Numbers, mix};

pub(crate) fn run(rounds: u32) -> u64 {
    let text = log();
    let patterns = [
        r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        r#""(GET|PUT|POST) (/[a-z]+)+(\?[a-z]+=\w+)? HTTP/1\.[01]""#,
        r"(?i)error|warning|fail(ed|ure)",
        r"[A-Za-z0-9._]+@[a-z]+\.(org|net|example)",
    ];
    let patterns = patterns.map(|pattern| Regex::new(pattern).expect("a pattern"));
    let mut sum = 0;
    for _ in 0..rounds {
        for pattern in &patterns {
            for found in pattern.find_iter(&text) {
                sum = mix(sum, (found.start() * 31 + found.len()) as u64);
            }
        }
    }
    sum
}

/// As a web server would write it.
fn log() -> String {
    let mut numbers = Numbers::new(7);
    let mut text = String::new();
    for line in 0..200 {
        let part = |numbers: &mut Numbers| numbers.below(256);
        let address = [(); 4].map(|()| part(&mut numbers));
        let [a, b, c, d] = address;
        let verb = ["GET", "PUT", "POST", "HEAD"][numbers.below(4)];
        let path = ["/", "/index", "/a/b/c", "/search?q=wasm", "/img/logo.png"][numbers.below(5)];
        let rest = ["ok", "Error: no such file", "warning", "failure of user.name@mail.example"];
        let rest = rest[numbers.below(4)];
        writeln!(text, "{a}.{b}.{c}.{d} - [{line}] \"{verb} {path} HTTP/1.1\" {rest}")
            .expect("a String takes it");
    }
    text
}
