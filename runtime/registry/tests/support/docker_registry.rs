//! The registry that most of the world runs, from Debian's package.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// `jane` with the password `secret`, by `htpasswd -Bbn`.
const JANE: &str = "jane:$2y$05$WAKSBtCtM1FGmQso4L4N6OYqiBY4ZFYt9zi24iFkjfHtxQUCUvEfe\n";

pub struct DockerRegistry {
    process: Child,
    pub address: String,
    _folder: TempDir,
}

/// What is special about it.
#[derive(Default)]
pub struct Special<'a> {
    pub with_password: bool,
    /// PEM of certificate and key.
    pub tls: Option<(&'a str, &'a str)>,
}

impl DockerRegistry {
    /// `None`, and a message, when it is not installed.
    pub fn start(special: &Special<'_>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http:\n  addr: 127.0.0.1:0\n",
            path("data")
        );
        if let Some((certificate, key)) = special.tls {
            fs::write(path("cert.pem"), certificate).unwrap();
            fs::write(path("key.pem"), key).unwrap();
            config += &format!(
                "  tls: {{certificate: {}, key: {}}}\n",
                path("cert.pem"),
                path("key.pem")
            );
        }
        if special.with_password {
            fs::write(path("htpasswd"), JANE).unwrap();
            config += &format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path("htpasswd"));
        }
        fs::write(path("config.yml"), config).unwrap();
        let started = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!(
                    "skipped: docker-registry is not installed (apt-get install docker-registry)"
                );
                return None;
            }
            started => started.unwrap(),
        };
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = log
            .find_map(|line| {
                let line = line.unwrap();
                let (_, after) = line.split_once("listening on ")?;
                let end =
                    after.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
                Some(after[..end.unwrap_or(after.len())].to_owned())
            })
            .expect("it says where it listens");
        // Read on, or it would wait for us; ends with the process.
        thread::spawn(move || log.for_each(drop));
        Some(Self { process, address, _folder: folder })
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
