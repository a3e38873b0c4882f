//! What happens to a Pod, as it happens: warnings, all events, or JSON lines with status changes.

use std::sync::Arc;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::PodStatus;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};
use wasmpod::event::{PodEvent, Reason, Recorded, Severity};
use wasmpod::worker::PodHandle;

use super::style::NOTE;
use super::{json, problem};
use crate::verbs::run::Events;

/// A subscription to a Pod's events and status, made before the Pod runs so that nothing is missed.
pub(crate) struct Watching {
    events: broadcast::Receiver<Arc<Recorded>>,
    status: watch::Receiver<PodStatus>,
    show: Events,
    pod: String,
}

/// Subscribes to the Pod of `handle`.
pub(crate) fn watch(handle: &PodHandle, show: Events, pod: String) -> Watching {
    let mut status = handle.status();
    // The first one counts as news: a Pod that cannot begin may have no other for long.
    status.mark_changed();
    Watching { events: handle.events().subscribe(), status, show, pod }
}

/// A line about the Pod, on its way to the printer.
#[derive(Debug)]
pub(crate) enum Told {
    Json(Value),
    Warning(String),
    Event(String),
    Note(String),
    /// Nothing follows, whoever still could send something.
    Last,
}

impl Told {
    pub(super) fn print(self) {
        match self {
            Self::Json(value) => json::line(&value),
            Self::Warning(text) => problem::warning(&text),
            Self::Event(text) => problem::labelled(NOTE, "event", &text),
            Self::Note(text) => problem::note(&text),
            Self::Last => {}
        }
    }
}

impl Watching {
    /// Sends what is to be told to the printer, until the Pod is gone.
    ///
    /// Not done by the printer itself: most of what happens is not told.
    pub(crate) async fn run(mut self, printer: mpsc::Sender<Told>) {
        loop {
            let told = tokio::select! {
                biased;
                event = self.events.recv() => match event {
                    Ok(event) => self.of_event(&event),
                    // The printer was slow; the counts of later events tell.
                    Err(broadcast::error::RecvError::Lagged(_)) => None,
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                Ok(()) = self.status.changed() => self.of_status(),
            };
            if let Some(told) = told
                && printer.send(told).await.is_err()
            {
                return;
            }
        }
        if let Some(Ok(())) = self.status.changed().now_or_never()
            && let Some(told) = self.of_status()
        {
            // A printer that is gone has no reader.
            let _ = printer.send(told).await;
        }
    }

    fn of_event(&self, recorded: &Recorded) -> Option<Told> {
        let event = &recorded.event;
        // One that comes again and again is told at its first time and then ever more seldom.
        let told = recorded.count.is_power_of_two();
        let text = || {
            let place = match event.involved.container() {
                Some(container) => format!("{}/{container}", self.pod),
                None => self.pod.clone(),
            };
            let times =
                if recorded.count > 1 { format!(" (x{})", recorded.count) } else { String::new() };
            let hint = map_hint(event).unwrap_or_default();
            format!("{place}: {}: {}{times}{hint}", event.reason, event.message)
        };
        match (self.show, event.severity) {
            (Events::Json, severity) => Some(Told::Json(json!({
                "type": "event",
                "pod": self.pod,
                "container": event.involved.container(),
                "severity": severity.to_string(),
                "reason": event.reason.to_string(),
                "message": event.message,
                "count": recorded.count,
                "time": recorded.last,
            }))),
            (Events::Warnings | Events::All, Severity::Warning) if told => {
                Some(Told::Warning(text()))
            }
            (Events::All, Severity::Normal) if told => Some(Told::Event(text())),
            (Events::None | Events::Warnings | Events::All, _) => None,
        }
    }

    fn of_status(&mut self) -> Option<Told> {
        let status = self.status.borrow_and_update();
        let json = || json!({"type": "status", "pod": self.pod, "status": &*status});
        (self.show == Events::Json).then(|| Told::Json(json()))
    }
}

/// What else would do, for an image that is not to be had: a Kubernetes user knows the rest.
fn map_hint(event: &PodEvent) -> Option<String> {
    let is_absent = match event.reason {
        Reason::Failed => event.message.starts_with("Failed to pull image "),
        Reason::ErrImageNeverPull => true,
        _ => false,
    };
    let image = event.message.split('"').nth(1).filter(|_| is_absent)?;
    Some(format!("; a file in its place: `--image-map {image}=FILE.wasm`"))
}

/// Why containers failed, one line each; nothing about those that did not.
pub(crate) fn failures(status: &PodStatus) -> Vec<String> {
    let pod = status.message.iter().map(|message| {
        format!("{}: {message}", status.reason.as_deref().unwrap_or("the Pod failed"))
    });
    let statuses =
        status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let containers = statuses.filter_map(|container| {
        let ended = container.state.as_ref()?.terminated.as_ref()?;
        (ended.exit_code != 0).then(|| {
            let reason = ended.reason.as_deref().unwrap_or("Error");
            let message = ended.message.as_deref().map(|text| format!(": {}", text.trim_end()));
            format!(
                "container `{}` ended with exit code {} ({reason}){}",
                container.name,
                ended.exit_code,
                message.unwrap_or_default()
            )
        })
    });
    pod.chain(containers).collect()
}
