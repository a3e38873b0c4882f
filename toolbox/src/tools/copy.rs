//! Copying, moving and removing.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Call, Failure, Options, Outcome};
use crate::path::absolute;

/// Where each of several sources goes.
fn targets(options: &Options) -> Result<Vec<(String, PathBuf)>, Failure> {
    let Some((target, sources)) =
        options.operands.split_last().filter(|(_, sources)| !sources.is_empty())
    else {
        return Err(Failure::Usage("a source and a target are needed".to_owned()));
    };
    let place = absolute(target);
    let is_folder = place.is_dir();
    if !is_folder && sources.len() > 1 {
        return Err(Failure::Said(format!("{target}: is not a directory")));
    }
    let into = |source: &String| match is_folder {
        true => place.join(absolute(source).file_name().unwrap_or_default()),
        false => place.clone(),
    };
    Ok(sources.iter().map(|source| (source.clone(), into(source))).collect())
}

/// `cp`
pub(super) fn cp(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("recursive", 'r'),
        ("force", 'f'),
        ("no-clobber", 'n'),
        ("verbose", 'v'),
        ("archive", 'a'),
    ];
    let options = Options::read(call.words, "rRapfnvL", &long)?;
    let recursive = options.last_of("rRa").is_some();
    let mut code = 0;
    for (source, target) in targets(&options)? {
        let from = absolute(&source);
        if options.has('n') && target.exists() {
            continue;
        }
        let copied = match from.is_dir() {
            true if !recursive => {
                call.say(format!("-r not specified; omitting directory '{source}'"));
                code = 1;
                continue;
            }
            true if target.starts_with(&from) => {
                Err(io::Error::other("cannot copy it into itself"))
            }
            true => copy_folder(&from, &target),
            false if from == target => Err(io::Error::other("it is the same file")),
            false => fs::copy(&from, &target).map(drop),
        };
        match copied {
            Ok(()) if options.has('v') => {
                writeln!(call.io.out, "'{source}' -> '{}'", target.display())?
            }
            Ok(()) => {}
            Err(error) => {
                call.complain(&source, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    if !to.is_dir() {
        fs::create_dir(to)?;
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(&fs::read_link(entry.path())?, &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// `mv`
pub(super) fn mv(call: &mut Call<'_>) -> Outcome {
    let options =
        Options::read(call.words, "fnv", &[("force", 'f'), ("no-clobber", 'n'), ("verbose", 'v')])?;
    let mut code = 0;
    for (source, target) in targets(&options)? {
        let from = absolute(&source);
        if options.has('n') && target.exists() {
            continue;
        }
        let moved = match fs::rename(&from, &target) {
            // To another volume.
            Err(error) if is_other_volume(&error) && from.symlink_metadata().is_ok() => {
                match from.is_dir() {
                    true => copy_folder(&from, &target).and_then(|()| fs::remove_dir_all(&from)),
                    false => fs::copy(&from, &target).and_then(|_| fs::remove_file(&from)),
                }
            }
            moved => moved,
        };
        match moved {
            Ok(()) if options.has('v') => {
                writeln!(call.io.out, "'{source}' -> '{}'", target.display())?
            }
            Ok(()) => {}
            Err(error) => {
                call.complain(&source, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// A rename between two of the folders that WASI opens is no rename.
fn is_other_volume(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(libc::EXDEV)
}

/// `rm`
pub(super) fn rm(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "rRfvi",
        &[("recursive", 'r'), ("force", 'f'), ("verbose", 'v')],
    )?;
    let (force, recursive) = (options.has('f'), options.last_of("rR").is_some());
    if options.operands.is_empty() && !force {
        return Err(Failure::Usage("a path is needed".to_owned()));
    }
    let mut code = 0;
    for path in &options.operands {
        let place = absolute(path);
        let removed = match place.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() && !recursive => {
                Err(io::Error::from(io::ErrorKind::IsADirectory))
            }
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&place),
            Ok(_) => fs::remove_file(&place),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) if options.has('v') => writeln!(call.io.out, "removed '{path}'")?,
            Ok(()) => {}
            Err(error) if force && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// `ln`
pub(super) fn ln(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "sfnv", &[("symbolic", 's'), ("force", 'f')])?;
    let (source, link) = match &options.operands[..] {
        [source] => (source, absolute(crate::base_name(source))),
        [source, link] => match absolute(link) {
            folder if folder.is_dir() => (source, folder.join(crate::base_name(source))),
            link => (source, link),
        },
        _ => return Err(Failure::Usage("a target and the name of a link are needed".to_owned())),
    };
    if options.has('f') {
        let _ = fs::remove_file(&link);
    }
    let made = match options.has('s') {
        true => symlink(Path::new(source), &link),
        false => fs::hard_link(absolute(source), &link),
    };
    match made {
        Ok(()) => Ok(0),
        Err(error) => {
            call.complain(&link.display().to_string(), &error);
            Ok(1)
        }
    }
}

/// Makes a symbolic link.
#[expect(unsafe_code, reason = "for WASI the standard library has no stable function")]
pub(super) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    let text = |path: &Path| {
        std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).map_err(io::Error::other)
    };
    let (target, link) = (text(target)?, text(link)?);
    // SAFETY: both end with a NUL and live until the call is over.
    match unsafe { libc::symlink(target.as_ptr(), link.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
