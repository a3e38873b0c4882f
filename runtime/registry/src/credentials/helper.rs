//! Programs that keep passwords: `docker-credential-NAME`.
//!
//! Rule: docker-credential-helpers: the server's address on stdin, JSON on stdout.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time;

use super::Credential;
use super::file::{CredentialError, named};

/// A helper may ask its user something; nobody waits longer for a Pod.
const LONGEST: Duration = Duration::from_secs(60);

/// An answer is a name and a token.
const MOST_BYTES: u64 = 256 << 10;

/// What a helper says that has nothing for this server.
const NOTHING: &str = "credentials not found in native keychain";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks the helper of this name.
pub(super) async fn ask(helper: &str, server: &str) -> Result<Option<Credential>, CredentialError> {
    let failed = |problem: String| CredentialError::Helper { helper: helper.to_owned(), problem };
    // It becomes part of a program's name: nothing that leads to another folder.
    if helper.is_empty()
        || !helper.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    {
        return Err(failed("is not the name of a helper".to_owned()));
    }
    let asking = run(helper, server);
    let (succeeded, output) = match time::timeout(LONGEST, asking).await {
        Ok(ran) => ran.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed(format!("no answer in {LONGEST:?}"))),
    };
    let text = String::from_utf8_lossy(&output);
    match succeeded {
        true => {
            // Its text may hold a secret, so nothing of it is in the error.
            let answer: Answer = serde_json::from_str(&text).map_err(|_| {
                failed("its answer is not JSON with Username and Secret".to_owned())
            })?;
            Ok(Some(named(answer.username, answer.secret)))
        }
        false if text.trim() == NOTHING => Ok(None),
        false => Err(failed(text.trim().chars().take(200).collect())),
    }
}

/// Whether it ended well, and what it said.
async fn run(helper: &str, server: &str) -> std::io::Result<(bool, Vec<u8>)> {
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read fails by its answer.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MOST_BYTES).read_to_end(&mut output).await?;
    }
    Ok((child.wait().await?.success(), output))
}
