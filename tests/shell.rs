//! A shell in a container that has none, as somebody at a terminal sees it.

use wasmpod::pod::ExecRequest;
use wasmpod::sandbox::terminal::TerminalSize;
use wasmpod_node::podprocess::{SessionEvent, SessionReader, Sessioned};

use crate::harness::{PodText, World, guest};
use crate::streams::{all, exec, talk};

/// Where a line can be typed.
const PROMPT: &str = "/ # \r\x1b[4C";

/// What the terminal shows.
struct Screen {
    reader: SessionReader,
    /// What nobody has looked at yet.
    shown: String,
}

impl Screen {
    /// What is shown up to `end`, once that is there.
    async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.shown.find(end) {
                let rest = self.shown.split_off(at + end.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.reader.next().await {
                Ok(SessionEvent::Stdout(bytes)) => self.shown += &String::from_utf8_lossy(&bytes),
                other => panic!("{other:?} behind {:?}", self.shown),
            }
        }
    }
}

#[test]
fn a_shell_at_a_terminal_edits_lines_and_outlives_what_it_runs() {
    let world = World::new();
    let file = PodText::new("p").container("box", &guest("toolbox"), &["idle"]).write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("idle");
    talk(&world, async |client| {
        let terminal = Some(TerminalSize { rows: 24, columns: 80 });
        let request = ExecRequest { terminal, ..exec(&["ash"]) };
        let (mut writer, reader) = client.exec("box", &request).await.unwrap();
        let mut screen = Screen { reader, shown: String::new() };
        // That it is compiled, the first time, is said before.
        screen.until(PROMPT).await;
        writer.write_all("ecp\x7fho hi | wc -cx\x7f\r".into()).await.unwrap();
        screen.until("echo hi | wc -c").await;
        screen.until("\n3\r\n").await;
        screen.until(PROMPT).await;

        // The line before, edited.
        writer.write_all("\x1b[A\x17\x17\x17\r".into()).await.unwrap();
        screen.until("\nhi\r\n").await;
        screen.until(PROMPT).await;

        // What runs is ended, not the shell.
        writer.write_all("echo up; sleep 1000\r".into()).await.unwrap();
        screen.until("\nup\r\n").await;
        writer.write_all("\x03".into()).await.unwrap();
        screen.until(PROMPT).await;
        writer.write_all("echo [$?]\r".into()).await.unwrap();
        screen.until("\n[130]\r\n").await;
        screen.until(PROMPT).await;

        writer.write_all("dropped\x03".into()).await.unwrap();
        screen.until(PROMPT).await;
        writer.write_all("exit 3\r".into()).await.unwrap();
        let (_, _, end) = all(&mut screen.reader).await;
        assert_eq!(end, Sessioned::ExitCode { code: 3, message: None });
        client.kill().await.unwrap();
    });
    pod.finish();
}
