//! Files, and ways out of where they should stay.
//!
//! | words | deed |
//! |---|---|
//! | `append FILE TEXT`, `write FILE TEXT`, `read FILE`, `remove FILE`, `mkdir FOLDER` | as they say |
//! | `append-often FILE COUNT` | appends so many lines, with a pause before each, opening FILE anew |
//! | `await FILE` | waits until FILE is there and holds something, then prints it |
//! | `escape FOLDER SECRET` | tries to read the host's SECRET in every way known; FOLDER is writable |
//! | `fill FILE MIB` | writes so many MiB; says how much went in when it fails |
//! | `list FOLDER` | names, kinds and sizes, sorted |
//! | `messages FILE COUNT` | opens the file of a queue to read and write, and prints so many messages, a line each |
//! | `open-files FOLDER COUNT` | creates files and keeps them open; says how many it could, then sleeps for ever |
//! | `rename FROM TO`, `symlink TARGET LINK`, `hardlink FILE LINK` | as they say |

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::{Failure, Outcome};

const MIB: usize = 1024 * 1024;

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    Some(match words {
        ["append", file, text] => append(file, text),
        ["append-often", file, count] => append_often(file, count),
        ["await", file] => await_content(file),
        ["escape", folder, secret] => escape(Path::new(folder), secret),
        ["fill", file, mib] => fill(file, mib),
        ["hardlink", file, link] => fs::hard_link(file, link).map_err(Failure::from),
        ["list", folder] => list(folder),
        ["mkdir", folder] => fs::create_dir(folder).map_err(Failure::from),
        ["messages", file, count] => messages(file, count),
        ["open-files", folder, count] => open_files(Path::new(folder), count),
        ["read", file] => read(file),
        ["remove", file] => fs::remove_file(file).map_err(Failure::from),
        ["rename", from, to] => fs::rename(from, to).map_err(Failure::from),
        ["symlink", target, link] => rustix::fs::symlink(*target, *link).map_err(Failure::from),
        ["write", file, text] => fs::write(file, format!("{text}\n")).map_err(Failure::from),
        _ => return None,
    })
}

fn append(file: &str, text: &str) -> Outcome {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    Ok(())
}

fn append_often(file: &str, count: &str) -> Outcome {
    for number in 1..=count.parse::<u64>()? {
        sleep(Duration::from_millis(5));
        append(file, &number.to_string())?;
    }
    println!("appended {count} times");
    Ok(())
}

fn read(file: &str) -> Outcome {
    std::io::stdout().write_all(&fs::read(file)?)?;
    Ok(())
}

fn messages(file: &str, count: &str) -> Outcome {
    let mut file = OpenOptions::new().read(true).write(true).open(file)?;
    let mut message = vec![0; 1 << 16];
    for _ in 0..count.parse::<u32>()? {
        let length = file.read(&mut message)?;
        println!("<{}>", String::from_utf8_lossy(&message[..length]));
    }
    Ok(())
}

fn await_content(file: &str) -> Outcome {
    loop {
        match fs::read(file) {
            Ok(content) if !content.is_empty() => {
                std::io::stdout().write_all(&content)?;
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        sleep(Duration::from_millis(10));
    }
}

fn list(folder: &str) -> Outcome {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => "folder",
            kind if kind.is_symlink() => "symlink",
            kind if kind.is_file() => "file",
            _ => "other",
        };
        lines.push(match kind {
            "file" => format!("{} {kind} {}", entry.file_name().display(), metadata.len()),
            _ => format!("{} {kind}", entry.file_name().display()),
        });
    }
    lines.sort();
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

fn fill(file: &str, mib: &str) -> Outcome {
    let mut file = File::create(file)?;
    let chunk = vec![7; MIB];
    for written in 0..mib.parse::<u64>()? {
        if let Err(error) = file.write_all(&chunk) {
            return Err(Failure::from(format!("after {written} MiB: {error}")));
        }
    }
    file.sync_all()?;
    println!("wrote {mib} MiB");
    Ok(())
}

fn open_files(folder: &Path, count: &str) -> Outcome {
    let mut open = Vec::new();
    for number in 0..count.parse::<u64>()? {
        match File::create(folder.join(format!("{number}"))) {
            Ok(file) => open.push(file),
            Err(error) => {
                println!("{} files are open, then: {error}", open.len());
                hold(open);
            }
        }
    }
    println!("all {count} files are open");
    hold(open)
}

fn hold(open: Vec<File>) -> ! {
    loop {
        sleep(Duration::from_secs(3600));
        std::hint::black_box(&open);
    }
}

/// One line for every way: `refused` with the reason, or `ESCAPED`, which fails the deed.
fn escape(folder: &Path, secret: &str) -> Outcome {
    let up = "../".repeat(24);
    let relative = format!("{up}{}", secret.trim_start_matches('/'));
    let mut ways: Vec<(&str, Result<Vec<u8>, Failure>)> = vec![
        ("absolute path", fs::read(secret).map_err(Failure::from)),
        ("dots from the working directory", fs::read(&relative).map_err(Failure::from)),
        ("dots from the folder", fs::read(folder.join(&relative)).map_err(Failure::from)),
    ];
    for (way, target) in
        [("symlink to an absolute path", secret), ("symlink full of dots", relative.as_str())]
    {
        ways.push((way, through_link(&folder.join("way-out"), target)));
    }
    ways.push(("symlink to the root, then down", through_folder(folder, "/", secret)));
    ways.push(("symlink to what is above, then down", through_folder(folder, &up, secret)));
    ways.push(("hard link", through_hard_link(&folder.join("way-out"), &relative)));
    ways.push(("moving the folder up", move_up(folder, &up)));

    let mut escaped = 0;
    for (way, outcome) in ways {
        match outcome {
            Ok(content) => {
                escaped += 1;
                println!("ESCAPED by {way}: {}", String::from_utf8_lossy(&content).trim_end());
            }
            Err(error) => println!("refused {way}: {error}"),
        }
    }
    if escaped > 0 { Err(Failure::from(format!("{escaped} ways out"))) } else { Ok(()) }
}

fn through_link(link: &Path, target: &str) -> Result<Vec<u8>, Failure> {
    rustix::fs::symlink(target, link)?;
    let outcome = fs::read(link);
    fs::remove_file(link)?;
    Ok(outcome?)
}

fn through_folder(folder: &Path, target: &str, secret: &str) -> Result<Vec<u8>, Failure> {
    let link = folder.join("way-up");
    rustix::fs::symlink(target, &link)?;
    let outcome = fs::read(link.join(secret.trim_start_matches('/')));
    fs::remove_file(link)?;
    Ok(outcome?)
}

fn through_hard_link(link: &Path, target: &str) -> Result<Vec<u8>, Failure> {
    fs::hard_link(target, link)?;
    let outcome = fs::read(link);
    fs::remove_file(link)?;
    Ok(outcome?)
}

fn move_up(folder: &Path, up: &str) -> Result<Vec<u8>, Failure> {
    let inside = folder.join("inside");
    fs::create_dir_all(&inside)?;
    let outcome = fs::rename(&inside, folder.join(format!("{up}tmp/moved-by-a-guest")));
    let _ = fs::remove_dir(&inside);
    outcome?;
    Ok(b"a folder of the guest lies outside now".to_vec())
}
