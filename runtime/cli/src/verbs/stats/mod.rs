//! `wasmpod stats`: what the Pods of this machine use, again and again.
//!
//! The figures are those of the Pods' own processes, asked over their sockets. CPU is what was used
//! between two readings, so that the first table comes a second after the start.

mod choose;
mod screen;
mod table;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) use choose::Choice;
use futures::future::join_all;
use screen::Screen;
use table::{Namespaces, table};
use tokio::time::{MissedTickBehavior, interval};
use wasmpod::pod::Folders;
use wasmpod::resources::stats::PodStats;
use wasmpod_node::ledger::Ledger;
use wasmpod_node::podprocess::PodClient;

use crate::args::{Stats, StatsFormat};
use crate::failure::Failure;
use crate::print::json;

/// Between two readings.
const EVERY: Duration = Duration::from_secs(1);

/// # Errors
/// A Pod that was named is not there, or cannot be asked.
pub(crate) fn stats(verb: &Stats, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot look", &error))?;
    let namespace = match (verb.all_namespaces, &verb.namespace) {
        (true, _) => None,
        (false, Some(namespace)) => Some(namespace.clone()),
        (false, None) => Some("default".to_owned()),
    };
    let reader =
        Reader { ledger: Ledger::new(&folders), choice: Choice::new(namespace, &verb.pods) };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("cannot look", &error))?;
    runtime.block_on(show(verb, &reader))?;
    Ok(ExitCode::SUCCESS)
}

/// How the figures come out.
enum Output {
    /// A JSON line for each Pod.
    Json,
    /// A table that replaces the one before.
    Screen(Screen),
    /// One table.
    Table,
}

async fn show(verb: &Stats, reader: &Reader) -> Result<(), Failure> {
    let is_terminal = io::stdout().is_terminal();
    let mut output = match verb.output {
        Some(StatsFormat::Json) => Output::Json,
        None if is_terminal && !verb.no_stream => Output::Screen(Screen::default()),
        None => Output::Table,
    };
    // A file or a pipe gets one table: many would be no table any more.
    let once = verb.no_stream || matches!(output, Output::Table);
    let namespaces = if verb.all_namespaces { Namespaces::Shown } else { Namespaces::Hidden };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = reader.read_all().await?;
    loop {
        ticks.tick().await;
        let now = reader.read().await;
        let written = match &mut output {
            Output::Json => print_json(&before, &now),
            Output::Screen(screen) => screen.replace(&table(&before, &now, namespaces)),
            Output::Table => screen::print(&table(&before, &now, namespaces)),
        };
        // A reader that has gone away has seen enough; Pods that were named and are over are not
        // waited for.
        let is_over = now.is_empty() && !reader.choice.names.is_empty();
        if once || written.is_err() || is_over {
            return Ok(());
        }
        before = now;
    }
}

fn print_json(before: &[PodStats], now: &[PodStats]) -> io::Result<()> {
    for pod in now {
        let earlier = before.iter().find(|earlier| earlier.pod_ref.uid == pod.pod_ref.uid);
        let pod = earlier.map_or_else(|| pod.clone(), |earlier| pod.since(earlier));
        match serde_json::to_value(&pod) {
            Ok(value) => json::try_line(&value)?,
            Err(error) => tracing::warn!("figures that are no JSON: {error}"),
        }
    }
    Ok(())
}

/// Asks the Pods that were chosen.
struct Reader {
    ledger: Ledger,
    choice: Choice,
}

impl Reader {
    /// The figures of the chosen Pods that answer: one that does not has ended meanwhile.
    async fn read(&self) -> Vec<PodStats> {
        let pods = self.ledger.pods();
        let chosen = self.choice.of(pods.iter().map(|pod| &**pod));
        let asked = chosen.into_iter().map(|pod| async {
            match PodClient::new(&pod.socket).stats_soon().await {
                Ok(stats) => Some(stats),
                Err(error) => {
                    tracing::debug!("{} tells nothing: {error}", pod.full_name());
                    None
                }
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The same; each Pod that was named has to be there.
    async fn read_all(&self) -> Result<Vec<PodStats>, Failure> {
        let pods = self.ledger.pods();
        let chosen = self.choice.of(pods.iter().map(|pod| &**pod));
        if let Some(missing) = self.choice.missing(&chosen) {
            let others = Choice { namespace: None, names: vec![missing.to_owned()] };
            let failure = Failure::new(format!("pods {missing:?} not found"));
            return Err(match others.of(pods.iter().map(|pod| &**pod)).first() {
                Some(other) => failure
                    .hint(format!("there is one in the namespace {:?}: use -n", other.namespace)),
                None => failure,
            });
        }
        Ok(self.read().await)
    }
}
