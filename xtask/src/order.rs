//! In which order functions lie in the program that is shipped: those of a start side by side.
//!
//! A start runs some two thousand functions of thirty thousand. Where the linker puts them by itself
//! they are spread over all of the program, and the kernel maps nearly every part of it, one page
//! fault after the other. So a list of them goes with the sources, and this program stands between
//! the compiler and the linker: it looks up what the functions are called now and hands on their
//! order. A list that is older than the code does no harm; what it misses lies where it would.

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{at, root, run, target_folder, tool};
use crate::{build, guests};

/// Set for the build whose last step is linked by this program.
pub(crate) const LINKS: &str = "WASMPOD_XTASK_LINKS";

/// Begins an argument for no linker: with another list the program is linked anew.
const EDITION: &str = "--start-order=";

/// More functions of one name are told apart by their size.
const ALIKE: usize = 2;

fn list() -> PathBuf {
    root().join("xtask/start-order.txt")
}

/// A function as the list has it: its name without what each build makes of it, and its size.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Function {
    name: String,
    size: u64,
}

/// Writes the list anew: runs small Pods in an emulator that tells what it comes by. Needs
/// `qemu-x86_64` (the package `qemu-user`) and `nm`.
pub(crate) fn write() -> Result<(), String> {
    guests::build()?;
    let wasmpod = build::with_symbols()?;
    let folder = target_folder().join("order");
    let sizes: HashMap<_, _> = symbols(std::slice::from_ref(&wasmpod))?.into_iter().collect();
    let mut functions = Vec::new();
    for target in ["wasm32-wasip2", "wasm32-wasip1"] {
        let image = root().join("guest-examples/target").join(target).join("release/hello.wasm");
        let pod = folder.join("hello.yaml");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        fs::write(&pod, manifest(&image)).map_err(at(&pod))?;
        let start = |program: &Path| {
            let mut command = tool(program);
            command.env("HOME", &folder).env("WASMPOD_ROOT", &folder);
            command.env("XDG_CACHE_HOME", &folder);
            command
        };
        let log = folder.join("blocks.log");
        let emulated = || {
            let mut command = start(Path::new("qemu-x86_64"));
            command.args(["-d", "in_asm", "-D"]).arg(&log).arg(&wasmpod).arg("run").arg(&pod);
            command
        };
        // Compiles, and leaves what a later start finds. It may not run what it has compiled.
        let _ = run(&mut emulated());
        compile_for_emulator(&image, &folder)?;
        run(&mut emulated())?;
        let blocks = fs::read(&log).map_err(at(&log))?;
        let blocks = String::from_utf8_lossy(&blocks);
        let names = blocks.lines().filter_map(|line| line.strip_prefix("IN: ")).map(str::trim);
        functions.extend(names.map(|name| Function {
            name: plain(name),
            size: sizes.get(name).copied().unwrap_or_default(),
        }));
    }
    let mut seen = HashSet::new();
    functions.retain(|function| seen.insert(function.clone()));
    let lines: String =
        functions.iter().map(|Function { name, size }| format!("{size} {name}\n")).collect();
    fs::write(list(), lines).map_err(at(&list()))
}

/// Puts code for the emulated processor in the place of what was compiled last, which is for this machine's:
/// a child of an emulated program is none.
fn compile_for_emulator(image: &Path, folder: &Path) -> Result<(), String> {
    let cache = folder.join("wasmpod/code/code");
    let modified = |entry: &fs::DirEntry| entry.metadata().and_then(|metadata| metadata.modified());
    let entries = fs::read_dir(&cache).map_err(at(&cache))?.flatten();
    let latest = entries.max_by_key(|entry| modified(entry).ok()).ok_or("nothing was compiled")?;
    let output = folder.join("code");
    let request = format!(
        r#"{{"Compile":{{"image":"{}","output":"{}"}}}}"#,
        image.display(),
        output.display()
    );
    let mut compiler = tool(Path::new("qemu-x86_64"))
        .arg(target_folder().join("release/wasmpod-compiler"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run qemu-x86_64: {error}"))?;
    // It ends when its standard input does.
    let mut lifeline = compiler.stdin.take().ok_or("standard input is piped")?;
    writeln!(lifeline, "{request}").map_err(|error| format!("cannot ask the compiler: {error}"))?;
    let status = compiler.wait().map_err(|error| format!("no compiler to wait for: {error}"))?;
    drop(lifeline);
    if !status.success() {
        return Err(format!("the compiler ended with {status}"));
    }
    fs::rename(&output, latest.path()).map_err(at(&output))
}

fn manifest(image: &Path) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: hello }}\nspec:\n  restartPolicy: Never\n  \
         containers: [{{ name: hello, image: \"file:{}\" }}]\n",
        image.display()
    )
}

/// Is the linker: calls the real one, with the order of the functions in what it is to link.
pub(crate) fn link(words: &[String]) -> Result<(), String> {
    let mut linker = Command::new("cc");
    linker.args(words.iter().filter(|word| !word.starts_with(EDITION)));
    // Only lld takes an order. It comes with Rust, but the user may have chosen another.
    if words.iter().any(|word| word == "-fuse-ld=lld") {
        match order(words) {
            Ok(file) => {
                linker.args(["-Xlinker", "--no-warn-symbol-ordering", "-Xlinker"]);
                linker.arg(format!("--symbol-ordering-file={}", file.display()));
            }
            // It only costs time.
            Err(problem) => eprintln!("note: functions stay in the linker's own order: {problem}"),
        }
    }
    Err(format!("cannot run cc: {}", linker.exec()))
}

/// Writes the names that the functions of the list have in what `words` would link, beside the first
/// of these files.
fn order(words: &[String]) -> Result<PathBuf, String> {
    let inputs = words.iter().filter(|word| word.ends_with(".o") || word.ends_with(".rlib"));
    let inputs: Vec<PathBuf> = inputs.map(PathBuf::from).collect();
    let folder = inputs.first().and_then(|input| input.parent()).ok_or("nothing is linked")?;
    let file = folder.join("start-order.txt");
    let list = fs::read_to_string(list()).map_err(at(&list()))?;
    let mut known: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    for (name, size) in symbols(&inputs)? {
        known.entry(plain(&name)).or_default().push((name, size));
    }
    let mut lines = String::new();
    for (size, name) in list.lines().filter_map(|line| line.split_once(' ')) {
        match known.get(name) {
            Some(alike) => {
                for (now, _) in
                    alike.iter().filter(|(_, now)| alike.len() <= ALIKE || size.parse() == Ok(*now))
                {
                    lines += &format!("{now}\n");
                }
            }
            // One of the C library's.
            None => lines += &format!("{name}\n"),
        }
    }
    fs::write(&file, lines).map_err(at(&file))?;
    Ok(file)
}

/// The functions in these files, with their sizes.
fn symbols(files: &[PathBuf]) -> Result<Vec<(String, u64)>, String> {
    let output = Command::new("nm").args(["--defined-only", "--print-size"]).args(files).output();
    let output = output.map_err(|error| format!("cannot run nm: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let function = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (size, kind, name) = (words.next()?, words.next()?, words.next()?);
        let is_code = matches!(kind, "t" | "T" | "W" | "w" | "i");
        is_code.then_some((name.to_owned(), u64::from_str_radix(size, 16).ok()?))
    };
    Ok(text.lines().filter_map(function).collect())
}

/// A name without the hashes that change with each version of anything below it.
fn plain(name: &str) -> String {
    // `_ZN…17h0123456789abcdefE`, perhaps with `.llvm.…` behind it
    if let Some(at) = name.rfind("17h")
        && name.starts_with("_ZN")
    {
        return name[..at].to_owned();
    }
    if !name.starts_with("_R") {
        return name.to_owned();
    }
    // `Cs8kPLOi_4core`: the crate's hash is what follows `Cs`, up to the underscore.
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("Cs") {
        let (before, hashed) = rest.split_at(at + 2);
        plain += before;
        rest = match hashed.split_once('_') {
            Some((hash, _)) if hash.len() <= 13 => &hashed[hash.len()..],
            _ => hashed,
        };
    }
    plain + rest
}

/// The arguments that make this program the linker of a build's last step.
pub(crate) fn arguments() -> Result<Vec<String>, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Ok(Vec::new());
    }
    let this = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let list = fs::read(list()).map_err(at(&list()))?;
    let mut hasher = DefaultHasher::new();
    list.hash(&mut hasher);
    let edition = format!("-Clink-arg={EDITION}{:016x}", hasher.finish());
    Ok(vec![format!("-Clinker={}", this.display()), edition])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_hashes() {
        for (name, expected) in [
            ("memcpy", "memcpy"),
            ("_ZN4core3fmt5write17h767b4dc0dc783be1E", "_ZN4core3fmt5write"),
            ("_ZN4core3fmt5write17h767b4dc0dc783be1E.llvm.12", "_ZN4core3fmt5write"),
            (
                "_RNvCsfLfy6EI15iL_7___rustc19___rust_alloc_zeroed",
                "_RNvCs_7___rustc19___rust_alloc_zeroed",
            ),
            ("_RNvNtCsgEmfK2I1SDS_4core3fmt5write", "_RNvNtCs_4core3fmt5write"),
        ] {
            assert_eq!(plain(name), expected);
        }
    }
}
