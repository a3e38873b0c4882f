//! Names, folders and links.

use std::fs;
use std::io::Write as _;
use std::time::SystemTime;

use super::{Call, Failure, Options, Outcome};
use crate::path::{absolute, real, working_folder};

fn operands(options: &Options) -> Result<&[String], Failure> {
    match &options.operands[..] {
        [] => Err(Failure::Usage("a path is needed".to_owned())),
        operands => Ok(operands),
    }
}

/// `pwd`
pub(super) fn pwd(call: &mut Call<'_>) -> Outcome {
    writeln!(call.io.out, "{}", working_folder().display())?;
    Ok(0)
}

/// `basename`
pub(super) fn basename(call: &mut Call<'_>) -> Outcome {
    let (path, suffix) = match &call.words[1..] {
        [path] => (path, ""),
        [path, suffix] => (path, suffix.as_str()),
        _ => return Err(Failure::Usage("one path is needed".to_owned())),
    };
    let name = match path.trim_end_matches('/') {
        "" if path.is_empty() => "",
        "" => "/",
        path => crate::base_name(path),
    };
    let name = name.strip_suffix(suffix).filter(|short| !short.is_empty()).unwrap_or(name);
    writeln!(call.io.out, "{name}")?;
    Ok(0)
}

/// `dirname`
pub(super) fn dirname(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "", &[])?;
    for path in operands(&options)? {
        let short = path.trim_end_matches('/');
        let folder = match short.rfind('/') {
            _ if short.is_empty() && !path.is_empty() => "/",
            None => ".",
            Some(at) => match short[..at].trim_end_matches('/') {
                "" => "/",
                folder => folder,
            },
        };
        writeln!(call.io.out, "{folder}")?;
    }
    Ok(0)
}

/// `mkdir`
pub(super) fn mkdir(call: &mut Call<'_>) -> Outcome {
    let options =
        Options::read(call.words, "pvm:", &[("parents", 'p'), ("verbose", 'v'), ("mode", 'm')])?;
    let mut code = 0;
    for path in operands(&options)? {
        let made = match options.has('p') {
            true => fs::create_dir_all(absolute(path)),
            false => fs::create_dir(absolute(path)),
        };
        match made {
            Ok(()) if options.has('v') => writeln!(call.io.out, "created directory '{path}'")?,
            Ok(()) => {}
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// `rmdir`
pub(super) fn rmdir(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "p", &[])?;
    let mut code = 0;
    for path in operands(&options)? {
        if let Err(error) = fs::remove_dir(absolute(path)) {
            call.complain(path, &error);
            code = 1;
        }
    }
    Ok(code)
}

/// `touch`
pub(super) fn touch(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "camt:d:r:", &[("no-create", 'c')])?;
    let mut code = 0;
    for path in operands(&options)? {
        let place = absolute(path);
        if options.has('c') && !place.exists() {
            continue;
        }
        let file = match place.is_dir() {
            true => fs::File::open(&place),
            false => fs::File::options().create(true).append(true).open(&place),
        };
        let times =
            fs::FileTimes::new().set_modified(SystemTime::now()).set_accessed(SystemTime::now());
        if let Err(error) = file.and_then(|file| file.set_times(times)) {
            call.complain(path, &error);
            code = 1;
        }
    }
    Ok(code)
}

/// `readlink`
pub(super) fn readlink(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "fenm", &[])?;
    let mut code = 0;
    for path in operands(&options)? {
        let found = match options.last_of("fem") {
            Some(_) => real(&absolute(path)),
            None => fs::read_link(absolute(path)),
        };
        match found {
            Ok(target) => writeln!(call.io.out, "{}", target.display())?,
            Err(_) => code = 1,
        }
    }
    Ok(code)
}

/// `realpath`
pub(super) fn realpath(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "em", &[])?;
    let mut code = 0;
    for path in operands(&options)? {
        match real(&absolute(path)) {
            Ok(real) => writeln!(call.io.out, "{}", real.display())?,
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// `mktemp`
pub(super) fn mktemp(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "dp:uqt", &[("directory", 'd'), ("tmpdir", 'p')])?;
    let folder = options.value('p').map(str::to_owned).or_else(|| {
        call.env.iter().rev().find(|(name, _)| name == "TMPDIR").map(|(_, value)| value.clone())
    });
    let folder = folder.unwrap_or_else(|| "/tmp".to_owned());
    let template = match options.operands.first() {
        Some(template) if options.has('p') || options.has('t') => format!("{folder}/{template}"),
        Some(template) => template.clone(),
        None => format!("{folder}/tmp.XXXXXX"),
    };
    let stem = template.trim_end_matches('X');
    let count = template.len() - stem.len();
    if count < 3 {
        return Err(Failure::Usage("a template ends with at least XXX".to_owned()));
    }
    if options.operands.is_empty() {
        let _ = fs::create_dir_all(absolute(&folder));
    }
    for _ in 0..100 {
        let path = format!("{stem}{}", random_letters(count));
        let made = match options.has('d') {
            true => fs::create_dir(absolute(&path)),
            false => {
                fs::File::options().write(true).create_new(true).open(absolute(&path)).map(drop)
            }
        };
        match made {
            Ok(()) => {
                writeln!(call.io.out, "{path}")?;
                return Ok(0);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                call.complain(&path, &error);
                return Ok(1);
            }
        }
    }
    Err(Failure::Said("no name is free".to_owned()))
}

fn random_letters(count: usize) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| {
        // A new state has a seed of its own.
        let at = RandomState::new().hash_one(0) % 62;
        char::from(LETTERS[usize::try_from(at).unwrap_or(0)])
    };
    (0..count).map(letter).collect()
}
