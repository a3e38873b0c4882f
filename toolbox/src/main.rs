//! The toolbox of wasmpod: one program for WASI 0.1 that is a shell and the usual small tools, by the name
//! that it is called by. It runs over the files, the network and the memory of a container whose own image
//! has nothing of the kind.
//!
//! It needs what no other guest gets: processes ([`sys`]).

mod editor;
mod fd;
mod interactive;
mod io;
mod path;
mod shell;
mod sys;
mod text;
mod tools;

use std::process::ExitCode;

use fd::Fd;
use io::Streams;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let env: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .collect();
    // wasmpod says where a command runs by `PWD`; natively there is a real one.
    #[cfg(target_arch = "wasm32")]
    let folder = env.iter().find(|(name, _)| name == "PWD").map(|(_, value)| value.into());
    #[cfg(not(target_arch = "wasm32"))]
    let folder = std::env::current_dir().ok();
    path::set_working_folder(folder.unwrap_or_else(|| std::path::PathBuf::from("/")));
    let streams = || Streams::new(Fd::Standard(0), Fd::Standard(1), Fd::Standard(2));
    // As a program of its own it is called `toolbox`, with the tool as the first word.
    let words = match words.first().map(|word| base_name(word)) {
        Some("toolbox" | "toolbox.wasm") if words.len() > 1 => words[1..].to_vec(),
        _ => words,
    };
    let name = words.first().map_or("", |word| base_name(word));
    let code = match tools::find(name) {
        Some(tool) => tools::run(tool, &words, &env, streams()),
        None => {
            streams().complain("toolbox", format!("there is no tool {name:?}"));
            127
        }
    };
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}

/// What a path ends with.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What went wrong, in the words of a Unix.
fn problem(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{
        AlreadyExists, BrokenPipe, DirectoryNotEmpty, IsADirectory, NotADirectory, NotFound,
        OutOfMemory, PermissionDenied, ReadOnlyFilesystem, Unsupported, WouldBlock,
    };
    let text = match error.kind() {
        NotFound => "No such file or directory",
        PermissionDenied => "Permission denied",
        AlreadyExists => "File exists",
        IsADirectory => "Is a directory",
        NotADirectory => "Not a directory",
        DirectoryNotEmpty => "Directory not empty",
        ReadOnlyFilesystem => "Read-only file system",
        BrokenPipe => "Broken pipe",
        OutOfMemory => "Out of memory",
        WouldBlock => "Resource temporarily unavailable",
        Unsupported => "Not supported here",
        _ => {
            let text = error.to_string();
            return text.split(" (os error").next().unwrap_or_default().to_owned();
        }
    };
    text.to_owned()
}
