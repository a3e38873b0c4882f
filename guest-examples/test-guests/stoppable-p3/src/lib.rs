//! A command that prints, when it is to stop, the signal and the minutes that are left, and ends well.
//!
//! With the word `await-stop` it waits in the import of `wasmpod:lifecycle`. Without a word `run` waits
//! until its own export `stop` has been called, beside it and in the same instance.

use std::cell::RefCell;

use wasip3::cli::{environment, stdout};
use wasip3::clocks::monotonic_clock;
use wasip3::wit_stream;

/// Between two looks, in nanoseconds.
const PAUSE: u64 = 5_000_000;

thread_local! {
    static ASKED: RefCell<Option<String>> = const { RefCell::new(None) };
}

struct Program;

wasip3::cli::command::export!(Program);

impl wasip3::exports::cli::run::Guest for Program {
    async fn run() -> Result<(), ()> {
        match environment::get_arguments().get(1).map(String::as_str) {
            Some("await-stop") => {
                say("waiting".to_owned()).await;
                let request = wasmpod_guest::p3::stop::wait().await;
                let minutes = request.grace.as_secs().div_ceil(60);
                say(format!("{}, {minutes} min", request.signal)).await;
            }
            Some(_) => return Err(()),
            None => say(called().await).await,
        }
        Ok(())
    }
}

/// What the call of `stop` has left.
async fn called() -> String {
    loop {
        if let Some(asked) = ASKED.take() {
            return asked;
        }
        monotonic_clock::wait_for(PAUSE).await;
    }
}

async fn say(line: String) {
    let (mut writer, reader) = wit_stream::new();
    let written = stdout::write_via_stream(reader);
    writer.write_all(format!("{line}\n").into_bytes()).await;
    drop(writer);
    let _ = written.await;
}

#[expect(unsafe_code, reason = "generated")]
mod lifecycle {
    wit_bindgen::generate!({
        path: "../../../runtime/core/wit/lifecycle/p3",
        inline: "
            package wasmpod:test;

            world stoppable {
                export wasmpod:lifecycle/stoppable@0.3.0;
            }
        ",
        generate_all,
    });

    use exports::wasmpod::lifecycle::stoppable::{Guest, StopRequest};

    const MINUTE: u64 = 60_000_000_000; // nanoseconds

    export!(Stoppable);

    struct Stoppable;

    impl Guest for Stoppable {
        async fn stop(request: StopRequest) {
            let minutes = request.grace.div_ceil(MINUTE);
            super::ASKED.set(Some(format!("{}, {minutes} min", request.signal)));
        }
    }
}
