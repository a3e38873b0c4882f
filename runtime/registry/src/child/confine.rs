//! What the child may still do once it knows its request: talk to registries, read what that takes, and
//! change the layout.
//!
//! It reads what strangers send. Whoever finds a flaw in that finds himself in a process that sees no
//! other file, can start no program and take no connection. Who we are was found out before, so that
//! the programs that know it run outside.
//!
//! The wall is Landlock's, holds for this thread and those that it starts, and cannot be taken down
//! again. Without Landlock the child does its work all the same.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

/// What it takes to find a host by its name and to know it by its certificate. `/usr` has libraries that
/// the C library loads for the first, and what `/etc/ssl` links to; nothing in it is secret.
const READ: [&str; 19] = [
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/static",
    "/lib",
    "/lib64",
    "/nix/store",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/usr",
    "/var/lib/ca-certificates",
];

/// The newest rules that are known here; a kernel that has fewer enforces those.
const RULES: ABI = ABI::V6;

/// Holds this thread, and those that it will start, to changing what is in `layout` and reading `files`
/// and what networking takes. Answers whether the kernel does so.
pub(super) fn confine<'a>(layout: &Path, files: impl IntoIterator<Item = &'a PathBuf>) -> bool {
    let files = files.into_iter().cloned().chain(system_files());
    restrict(layout, files).unwrap_or(false)
}

fn restrict(layout: &Path, files: impl Iterator<Item = PathBuf>) -> Result<bool, Box<dyn Error>> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let change = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer;
    let mut ruleset = Ruleset::default()
        // A kernel that cannot allow it forbids it: no blob could be moved into its folder.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(layout)?, change))?;
    for file in files {
        ruleset = allow(ruleset, &file, read)?;
    }
    Ok(ruleset.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// What is not there needs no rule.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Box<dyn Error>> {
    let (Ok(file), Ok(metadata)) = (PathFd::new(path), fs::metadata(path)) else {
        return Ok(ruleset);
    };
    let access = if metadata.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    Ok(ruleset.add_rule(PathBeneath::new(file, access))?)
}

/// With the certificates that variables name, by OpenSSL's example.
fn system_files() -> Vec<PathBuf> {
    let file = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let folders = env::var_os("SSL_CERT_DIR").unwrap_or_default();
    let named = file.into_iter().chain(env::split_paths(&folders));
    READ.into_iter().map(PathBuf::from).chain(named).collect()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
    use std::process::Command;
    use std::thread;

    use wasmpod_images::layout::{Layout, LayoutError};

    use super::*;

    /// What a thread that is confined can do, by name.
    fn tried(layout: &Layout, folder: &Path, port: u16) -> Vec<(&'static str, io::Result<()>)> {
        let put = || -> Result<(), LayoutError> {
            let pin = layout.pin("test")?;
            let digest = pin.put(b"content")?;
            layout.verify(&digest).map(drop)
        };
        vec![
            ("a blob", put().map_err(io::Error::other)),
            ("a host by its name", ("localhost", port).to_socket_addrs().map(drop)),
            ("a connection", TcpStream::connect(("127.0.0.1", port)).map(drop)),
            ("a certificate", fs::read(folder.join("ca.pem")).map(drop)),
            ("another file", fs::read(folder.join("secret")).map(drop)),
            ("a password", fs::read("/etc/passwd").map(drop)),
            ("a file elsewhere", fs::write(folder.join("elsewhere"), "")),
            ("connections to it", TcpListener::bind("127.0.0.1:0").map(drop)),
            ("a program", Command::new("/bin/true").status().map(drop)),
        ]
    }

    #[test]
    fn a_confined_thread_fetches_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("images")).unwrap();
        for name in ["ca.pem", "secret"] {
            fs::write(folder.path().join(name), "text").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let path = folder.path().to_owned();
        let (confined, tried) = thread::spawn(move || {
            let certificate = path.join("ca.pem");
            (confine(layout.folder(), [&certificate]), tried(&layout, &path, port))
        })
        .join()
        .unwrap();
        if !confined {
            // An old kernel, or one in a container that forbids it: there is nothing to see.
            return;
        }
        let tried: Vec<String> = tried
            .into_iter()
            .map(|(what, outcome)| match outcome {
                Ok(()) => format!("{what}: yes"),
                Err(error) => format!("{what}: {:?}", error.kind()),
            })
            .collect();
        insta::assert_snapshot!(tried.join("\n"), @r"
        a blob: yes
        a host by its name: yes
        a connection: yes
        a certificate: yes
        another file: PermissionDenied
        a password: PermissionDenied
        a file elsewhere: PermissionDenied
        connections to it: PermissionDenied
        a program: PermissionDenied
        ");
    }
}
