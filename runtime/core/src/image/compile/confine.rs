//! What a compiling child may still do once it knows its request: read the image, write the code, compute.
//!
//! A compiler that reads strangers' code is a large program. Whoever finds a flaw in it finds himself in
//! a process that sees no other file, no network and no other process, and can start none. What he can do
//! is to write code of his own, which runs in the Pod that wanted the image compiled and in no other.
//!
//! Both walls are the kernel's, hold for this thread and those that it starts, and cannot be taken down
//! again. Where the kernel has one of them not, the other stands alone.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::confinement::Confinement;

/// Holds this thread, and those that it will start, to reading `image` and making files in the folder of
/// `output`, if there is one.
pub(super) fn confine(image: &Path, output: Option<&Path>) -> Confinement {
    // A child that cannot be held still compiles: limits of memory and time are its other bounds.
    Confinement {
        landlock: confine_files(image, output).unwrap_or(false),
        seccomp: confine_calls().is_ok(),
    }
}

fn confine_files(image: &Path, output: Option<&Path>) -> Result<bool, Box<dyn std::error::Error>> {
    let abi = ABI::V6;
    let making = AccessFs::MakeReg | AccessFs::WriteFile | AccessFs::RemoveFile;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(image)?, AccessFs::ReadFile))?;
    if let Some(output) = output {
        let folder = output.parent().unwrap_or(Path::new("."));
        rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, making))?;
    }
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn confine_calls() -> Result<(), Box<dyn std::error::Error>> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = SeccompAction::Errno(libc_errno(rustix::io::Errno::PERM));
    let compute = SeccompFilter::new(allowed()?, refused, SeccompAction::Allow, arch)?;
    // The C library starts threads by `clone3`, whose arguments no filter sees, and by `clone` where that
    // is not there.
    let unknown = SeccompAction::Errno(libc_errno(rustix::io::Errno::NOSYS));
    let without_clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let old_clone = SeccompFilter::new(without_clone3, SeccompAction::Allow, unknown, arch)?;
    for filter in [old_clone, compute] {
        let program: BpfProgram = filter.try_into()?;
        apply_filter(&program)?;
    }
    Ok(())
}

fn libc_errno(errno: rustix::io::Errno) -> u32 {
    errno.raw_os_error().unsigned_abs()
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What computing takes: memory, threads of its own, the time, files that are open or that Landlock lets
/// it open.
fn allowed() -> Result<Rules, seccompiler::BackendError> {
    let always = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_clone3,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_fcntl,
        libc::SYS_fdatasync,
        libc::SYS_fstat,
        libc::SYS_fsync,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_gettid,
        libc::SYS_lseek,
        libc::SYS_madvise,
        libc::SYS_membarrier,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_newfstatat,
        libc::SYS_openat,
        libc::SYS_prctl,
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_restart_syscall,
        libc::SYS_rseq,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_yield,
        libc::SYS_set_robust_list,
        libc::SYS_sigaltstack,
        libc::SYS_statx,
        libc::SYS_unlinkat,
        libc::SYS_write,
        libc::SYS_writev,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink,
    ];
    let mut rules: Rules = always.into_iter().map(|call| (call, Vec::new())).collect();
    // A thread of this process, never another process.
    let thread = masked(0, libc::CLONE_THREAD, libc::CLONE_THREAD)?;
    rules.insert(libc::SYS_clone, vec![thread]);
    // How a process aborts.
    let itself = u64::from(std::process::id());
    let itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, itself)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself])?]);
    // What it has written is never run here.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![masked(2, libc::PROT_EXEC, 0)?]);
    }
    Ok(rules)
}

/// Of argument `number` the bits `mask` are `value`.
fn masked(number: u8, mask: i32, value: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    let wide = |bits: i32| u64::from(bits.unsigned_abs());
    let compare = SeccompCmpOp::MaskedEq(wide(mask));
    let condition = SeccompCondition::new(number, SeccompCmpArgLen::Qword, compare, wide(value))?;
    SeccompRule::new(vec![condition])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread;

    use super::*;

    /// What a thread that is confined can do, by name.
    fn tried(folder: &Path) -> Vec<(&'static str, io::Result<()>)> {
        let (image, output) = (folder.join("guest.wasm"), folder.join("cache/code"));
        vec![
            ("its image", fs::read(image).map(drop)),
            ("its code", fs::write(&output, "code")),
            ("a thread", thread::Builder::new().spawn(|| {}).map(|thread| thread.join().unwrap())),
            ("another file", fs::read("/etc/hostname").map(drop)),
            ("a file elsewhere", fs::write(folder.join("elsewhere"), "")),
            ("what is cached", fs::read(output).map(drop)),
            ("a socket", TcpListener::bind("127.0.0.1:0").map(drop)),
            ("a program", Command::new("/bin/true").status().map(drop)),
        ]
    }

    #[test]
    fn a_confined_thread_reads_its_image_and_writes_its_code() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("guest.wasm"), "guest").unwrap();
        fs::create_dir(folder.path().join("cache")).unwrap();
        let path = folder.path().to_owned();
        let (confinement, tried) = thread::spawn(move || {
            let image = path.join("guest.wasm");
            (confine(&image, Some(&path.join("cache/code"))), tried(&path))
        })
        .join()
        .unwrap();
        if confinement != (Confinement { landlock: true, seccomp: true }) {
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
        its image: yes
        its code: yes
        a thread: yes
        another file: PermissionDenied
        a file elsewhere: PermissionDenied
        what is cached: PermissionDenied
        a socket: PermissionDenied
        a program: PermissionDenied
        ");
    }
}
