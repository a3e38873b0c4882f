//! `docker-registry` of Debian, on a port of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// `jane` with the password `secret`, by `htpasswd -Bbn`.
const JANE: &str = "jane:$2y$05$WAKSBtCtM1FGmQso4L4N6OYqiBY4ZFYt9zi24iFkjfHtxQUCUvEfe\n";

/// A registry that ends with the test.
#[derive(Debug)]
pub(super) struct Registry {
    process: Child,
    pub(super) address: String,
    _folder: TempDir,
}

impl Registry {
    /// One for everybody; none, and a message, where it is not installed.
    pub(super) fn start() -> Option<Self> {
        Self::with("")
    }

    /// One for `jane`, whose password is `secret`.
    pub(super) fn with_password() -> Option<Self> {
        Self::with(JANE)
    }

    fn with(users: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let write =
            |name: &str, text: &str| fs::write(path(name), text).expect("it can be written");
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:0\"}}\n",
            path("data")
        );
        if !users.is_empty() {
            write("htpasswd", users);
            config += &format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path("htpasswd"));
        }
        write("config.yml", &config);
        let started = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut process) = started else {
            eprintln!(
                "skipped: docker-registry is not installed (apt-get install docker-registry)"
            );
            return None;
        };
        let mut log = BufReader::new(process.stderr.take().expect("piped")).lines();
        let address = log.find_map(|line| {
            let line = line.ok()?;
            let (_, after) = line.split_once("listening on ")?;
            let end = after.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
            Some(after[..end.unwrap_or(after.len())].to_owned())
        });
        // Read on, or it would wait for us; ends with the process.
        thread::spawn(move || log.for_each(drop));
        Some(Self { process, address: address.expect("it says where it listens"), _folder: folder })
    }

    /// A name in it.
    pub(super) fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
