//! A real terminal, without a guest.

use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn terminal() -> Terminal {
    Terminal::open(TerminalSize { rows: 24, columns: 80 }).unwrap()
}

/// What a guest reads next.
async fn read(terminal: &Terminal) -> Option<String> {
    let ready = std::future::poll_fn(|context| terminal.poll_input(context));
    timeout(PATIENCE, ready).await.expect("something to read");
    Some(String::from_utf8(terminal.take_input(4096)?.to_vec()).unwrap())
}

/// What is shown until it ends with `end`.
async fn shown(terminal: &Terminal, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let more = timeout(PATIENCE, terminal.read_screen()).await;
        let more = more.unwrap_or_else(|_| panic!("only {text:?}")).expect("not the end");
        text += std::str::from_utf8(&more).unwrap();
    }
    text
}

#[tokio::test]
async fn lines_are_edited_and_shown_by_the_kernel() {
    let terminal = terminal();
    terminal.type_in("gehn\x7f\x7fh\r".as_bytes()).await;
    assert_eq!(read(&terminal).await.unwrap(), "geh\n");
    assert_eq!(shown(&terminal, "\r\n").await, "gehn\x08 \x08\x08 \x08h\r\n");
    terminal.write(b"so\n");
    assert_eq!(shown(&terminal, "\n").await, "so\r\n");
    assert_eq!(terminal.size(), TerminalSize { rows: 24, columns: 80 });
    terminal.resize(TerminalSize { rows: 50, columns: 132 });
    assert_eq!(terminal.size(), TerminalSize { rows: 50, columns: 132 });
}

#[tokio::test]
async fn ctrl_d_is_the_end_once_and_a_closed_input_for_good() {
    let terminal = terminal();
    terminal.type_in(b"\x04").await;
    assert_eq!(read(&terminal).await, None);
    terminal.type_in(b"more\r").await;
    assert_eq!(read(&terminal).await.unwrap(), "more\n");
    terminal.type_in(b"last\r").await;
    terminal.end_input();
    assert_eq!(read(&terminal).await.unwrap(), "last\n");
    assert_eq!(read(&terminal).await, None);
    assert_eq!(read(&terminal).await, None);
}

#[tokio::test]
async fn ctrl_c_forgets_the_line_and_is_told() {
    let terminal = terminal();
    let mut caught = terminal.catch_signals();
    terminal.type_in(b"half a li\x03rest\r").await;
    assert_eq!(timeout(PATIENCE, caught.next()).await, Ok(Signal::Interrupt));
    assert_eq!(read(&terminal).await.unwrap(), "rest\n");
    assert!(shown(&terminal, "\n").await.contains("^C"));
    drop(caught);
    terminal.type_in(b"\x1c").await;
    assert_eq!(timeout(PATIENCE, terminal.uncaught_signal()).await, Ok(Signal::Quit));
}

#[tokio::test]
async fn raw_bytes_come_as_they_are_typed() {
    let terminal = terminal();
    terminal.set_raw(true);
    terminal.type_in(b"a\x03\x04\r").await;
    assert_eq!(read(&terminal).await.unwrap(), "a\x03\x04\r");
    terminal.write(b"x\n");
    assert_eq!(shown(&terminal, "\n").await, "x\n", "neither echo nor another end of the line");
    assert!(terminal.uncaught_signal().now_or_never().is_none());
    terminal.set_raw(false);
    terminal.type_in(b"b\r").await;
    assert_eq!(read(&terminal).await.unwrap(), "b\n");
}

#[tokio::test]
async fn a_slow_screen_holds_writers_back_and_nothing_is_lost_at_the_end() {
    let terminal = terminal();
    let line = "0123456789".repeat(6000);
    let has_room = || {
        let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
        terminal.poll_room(&mut nobody).is_ready()
    };
    let mut written = 0;
    while has_room() {
        terminal.write(line.as_bytes());
        written += line.len();
        assert!(written < 10 << 20, "it takes all");
    }
    let reading = async {
        let mut read = 0;
        while let Some(shown) = terminal.read_screen().await {
            read += shown.len();
        }
        read
    };
    let ending = async {
        std::future::poll_fn(|context| terminal.poll_room(context)).await;
        terminal.write(b"end");
        terminal.finish();
    };
    let (read, ()) = timeout(PATIENCE, async { tokio::join!(reading, ending) }).await.unwrap();
    assert_eq!(read, written + 3);
}
