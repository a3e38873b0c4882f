//! A test's own folder: manifests in it, Pods under it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::binaries::{checkout, wasmpod};
use super::process::Invocation;

/// A fresh folder with a state folder of its own; removed at the end of the test.
///
/// The cache of machine code is shared by all tests of the checkout: it is made for many
/// processes, and compiling every guest for every test would take minutes.
#[derive(Debug)]
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    /// # Panics
    /// When no temporary folder can be made.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// The folder that manifests of this test are in.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The state folder of every `wasmpod` of this test.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Writes a file of this world and returns its path.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[track_caller]
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        let folder = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("the folder can be made");
        std::fs::write(&path, content).expect("the file can be written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// A manifest of one Pod (`restartPolicy: Never`) with these containers (name, image).
    #[track_caller]
    pub(crate) fn pod(&self, name: &str, containers: &[(&str, &str)]) -> String {
        let mut text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  containers:\n"
        );
        for (container, image) in containers {
            text += &format!("  - name: {container}\n    image: {image}\n");
        }
        self.file(&format!("{name}.yaml"), text)
    }

    /// A call of `wasmpod` in this world, not yet started.
    pub(crate) fn wasmpod<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Invocation {
        let mut command = Command::new(wasmpod());
        self.surround(&mut command);
        command.args(words);
        Invocation::new(command)
    }

    /// A call of a shell at a terminal of its own, in this world, where `wasmpod` is found by its name. Nothing of
    /// the user's own settings is read.
    pub(crate) fn shell(&self, shell: &str) -> Invocation {
        let mut command = Command::new("script");
        self.surround(&mut command);
        let folder = wasmpod().parent().expect("it is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["--quiet", "--flush", "--return", "--command", shell, "/dev/null"])
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HOME", self.path())
            .env("TERM", "xterm");
        Invocation::new(command).typed_input()
    }

    /// Gives a call of `wasmpod` the folders of this world.
    pub(crate) fn surround(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env("WASMPOD_ROOT", self.root())
            .env("XDG_CACHE_HOME", checkout().join("target/test-cache"))
            .env("XDG_RUNTIME_DIR", self.path())
            .env("NO_COLOR", "1")
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LOG");
    }
}

impl Drop for World {
    /// Pods that stay, and what announces Services, would go on after the test.
    fn drop(&mut self) {
        if self.root().join("processes").exists() {
            let all = ["delete", "pods,services", "--all", "-A", "--force", "--grace-period=0"];
            self.wasmpod(all).finish();
        }
    }
}
