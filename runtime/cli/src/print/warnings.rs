//! What the library has to say beside events: on standard error, from warnings on.
//!
//! A subscriber of our own, since it does so little: the registry of spans that
//! `tracing-subscriber` makes takes 33 KiB of each Pod's process, and there are no spans here.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use wasmpod::error::chain;

use super::problem;

/// The requests of guests: they are told themselves what is wrong, and could fill the terminal.
const ABOUT_GUESTS: &str = "wasmtime_wasi_http";

/// Shows warnings and errors from here on.
pub(crate) fn show() {
    // Fails only where it was called before.
    let _ = tracing::subscriber::set_global_default(Warnings);
}

struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
            && metadata.is_event()
            && !metadata.target().starts_with(ABOUT_GUESTS)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let text = line.message + &line.fields;
        match *event.metadata().level() {
            Level::ERROR => problem::error(&text, None),
            _ => problem::warning(&text),
        }
    }

    // Never called: no span is enabled.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message, and the other fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // A String takes every text.
        let _ = match field.name() {
            "message" => self.message.write_fmt(value),
            name => write!(self.fields, ", {name}: {value}"),
        };
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, format_args!("{}", chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects what would be shown.
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

    impl Subscriber for Lines {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            Warnings.enabled(metadata)
        }
        fn event(&self, event: &Event<'_>) {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(line.message + &line.fields);
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            unreachable!("no span is enabled")
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn warnings_come_with_their_fields_and_nothing_else_comes() {
        let lines = std::sync::Arc::default();
        tracing::subscriber::with_default(Lines(std::sync::Arc::clone(&lines)), || {
            let _span = tracing::error_span!("span").entered();
            let error = std::io::Error::other("no room");
            tracing::warn!(path = "/x", error = &error as &dyn std::error::Error, "cannot write");
            tracing::info!("not told");
            tracing::error!(target: "wasmtime_wasi_http::body", "not told either");
        });
        assert_eq!(*lines.lock().unwrap(), ["cannot write, path: /x, error: no room"]);
    }
}
