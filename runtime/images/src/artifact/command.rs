//! ENTRYPOINT and CMD of an image against `command` and `args` of a container.
//!
//! Rule: the table of Kubernetes' "Define a Command and Arguments for a Container": `command` takes
//! the place of both, `args` that of CMD.

use std::path::PathBuf;

/// Where a command without a folder is looked for when the environment has no `PATH`, as in the
/// images of Docker.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// So many folders of a `PATH` are looked into: an image may have a hundred thousand.
const MOST_FOLDERS: usize = 64;

/// What an image starts unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// ENTRYPOINT
    pub entrypoint: Vec<String>,
    /// CMD
    pub cmd: Vec<String>,
}

/// Neither the image nor the container says what to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no command specified")]
pub struct NoCommand;

impl Command {
    /// The arguments of the program, its own name first; `command` and `args` are the container's,
    /// already expanded.
    ///
    /// # Errors
    /// [`NoCommand`], in the words of container runtimes.
    ///
    /// ```
    /// use wasmpod_images::artifact::Command;
    ///
    /// let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    /// let image = Command { entrypoint: words("/app.wasm --serve"), cmd: words("--port 80") };
    /// assert_eq!(image.argv(&[], &words("--help")), Ok(words("/app.wasm --serve --help")));
    /// ```
    pub fn argv(&self, command: &[String], args: &[String]) -> Result<Vec<String>, NoCommand> {
        let argv = match (command, args) {
            ([], []) => [self.entrypoint.as_slice(), self.cmd.as_slice()],
            ([], args) => [self.entrypoint.as_slice(), args],
            (command, args) => [command, args],
        }
        .concat();
        if argv.is_empty() { Err(NoCommand) } else { Ok(argv) }
    }

    /// The first word of what the image starts.
    pub(super) fn first(&self) -> Option<&str> {
        self.entrypoint.first().or(self.cmd.first()).map(String::as_str)
    }
}

/// Where in the root the file that `name` means may be, the first that is there being it: `name`
/// itself from `working_dir` if it has a folder, or else each folder of `path` (the first 64), then
/// `working_dir`.
///
/// Paths begin at the root and have no `/` in front. The working folder comes last because images of
/// `FROM scratch` start `app.wasm` and mean the one beside nothing else.
#[must_use]
pub fn places(name: &str, working_dir: &str, path: Option<&str>) -> Vec<PathBuf> {
    let within = |folder: &str| {
        let whole =
            if name.starts_with('/') { name.to_owned() } else { format!("{folder}/{name}") };
        clean(&whole)
    };
    if name.contains('/') {
        return vec![within(working_dir)];
    }
    let path = path.unwrap_or(DEFAULT_PATH);
    // An empty or relative folder means one below the working folder; no image needs that.
    let folders = path.split(':').filter(|folder| folder.starts_with('/'));
    let folders = folders.take(MOST_FOLDERS);
    folders.chain([working_dir]).map(within).collect()
}

/// Without `.`, `..` and doubled slashes; `..` stays at the root, as the kernel has it.
fn clean(path: &str) -> PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_container_has_the_last_word() {
        for (entrypoint, cmd, command, args, expected) in [
            ("E", "C", "", "", "E C"),
            ("E", "C", "c", "", "c"),
            ("E", "C", "", "a", "E a"),
            ("E", "C", "c", "a", "c a"),
            ("E", "", "", "", "E"),
            ("", "C", "", "", "C"),
            ("", "C", "", "a", "a"),
            ("", "", "c", "", "c"),
            ("E e", "C c", "", "a b", "E e a b"),
        ] {
            let image = Command { entrypoint: words(entrypoint), cmd: words(cmd) };
            let argv = image.argv(&words(command), &words(args));
            assert_eq!(argv, Ok(words(expected)), "{entrypoint} {cmd} {command} {args}");
        }
        let nothing = Command::default().argv(&[], &[]);
        assert_eq!(nothing.unwrap_err().to_string(), "no command specified");
    }

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        for (name, working_dir, path, expected) in [
            ("/app.wasm", "/srv", None, vec!["app.wasm"]),
            ("./app.wasm", "/srv", None, vec!["srv/app.wasm"]),
            ("../app.wasm", "/", None, vec!["app.wasm"]),
            ("bin/app.wasm", "/srv", Some("/bin"), vec!["srv/bin/app.wasm"]),
            (
                "app.wasm",
                "/srv",
                Some("/bin::x:/usr//bin"),
                vec!["bin/app.wasm", "usr/bin/app.wasm", "srv/app.wasm"],
            ),
        ] {
            let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(places(name, working_dir, path), expected, "{name}");
        }
    }
}
