//! The child program, as whoever wants an image starts it.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};
use wasmpod_images::fetch::{FetchError, Fetched, Message, Progress, PullSecret, Request};

use super::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wasmpod-registry");

pub struct Child {
    pub process: Process,
    /// What it lives by.
    pub lifeline: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it has said so far.
    pub progress: Vec<Progress>,
}

impl Child {
    /// For a user who has nothing but the world's folder.
    pub async fn start(world: &World, request: &Request) -> Self {
        Self::run(Command::new(PROGRAM), world, request).await
    }

    /// The same where no file may get larger than 1 MiB (by some shells' count 2).
    pub async fn start_without_room(world: &World, request: &Request) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\"", PROGRAM]);
        Self::run(shell, world, request).await
    }

    async fn run(mut program: Command, world: &World, request: &Request) -> Self {
        let home = world.folder().join("home");
        let helpers = home.join("bin").display().to_string();
        let mut process = program
            .env("HOME", &home)
            .env("PATH", helpers + ":/usr/bin:/bin")
            .env_remove("DOCKER_CONFIG")
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lifeline = process.stdin.take().unwrap();
        let line = serde_json::to_string(request).unwrap() + "\n";
        lifeline.write_all(line.as_bytes()).await.unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lifeline: Some(lifeline), lines, progress: Vec::new() }
    }

    /// Reads until it says this of some blob.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Progress) -> bool) {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            match serde_json::from_str(&line).unwrap() {
                Message::Progress(progress) => {
                    let is_it = wanted(&progress);
                    self.progress.push(progress);
                    if is_it {
                        return;
                    }
                }
                Message::Done(answer) => panic!("{answer:?}"),
            }
        }
        panic!("it has ended");
    }

    /// Reads all that it says, of which the answer is the last.
    pub async fn answer(&mut self) -> Result<Fetched, FetchError> {
        let mut answer = None;
        while let Some(line) = self.lines.next_line().await.unwrap() {
            assert_eq!(answer, None, "nothing comes behind the answer");
            match serde_json::from_str(&line).unwrap() {
                Message::Progress(progress) => self.progress.push(progress),
                Message::Done(done) => answer = Some(done),
            }
        }
        assert!(self.ended().await.success());
        answer.expect("it answers")
    }

    pub async fn ended(&mut self) -> ExitStatus {
        self.process.wait().await.unwrap()
    }
}

impl World {
    pub fn request(&self, image: &str) -> Request {
        self.request_with(image, Vec::new())
    }

    pub fn request_with(&self, image: &str, secrets: Vec<PullSecret>) -> Request {
        let layout = self.layout.folder().to_owned();
        Request::Pull { layout, reference: image.to_owned(), secrets, config: None, policy: None }
    }

    /// What the child answers.
    pub async fn fetch(&self, request: &Request) -> Result<Fetched, FetchError> {
        Child::start(self, request).await.answer().await
    }

    /// The kind and text of its failure, with the port left out.
    pub async fn fetch_failure(&self, request: &Request, address: &str) -> String {
        let error = self.fetch(request).await.unwrap_err();
        format!("{:?}: {error}", error.kind)
            .replace(address, "REGISTRY")
            .replace(&self.folder().display().to_string(), "FOLDER")
    }
}

pub fn secret(kind: &str, key: &str, data: &str) -> PullSecret {
    let data = BTreeMap::from([(key.to_owned(), data.as_bytes().to_vec())]);
    PullSecret { name: "regcred".to_owned(), kind: kind.to_owned(), data }
}
