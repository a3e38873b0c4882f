//! The file of a root that is to run.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::artifact::places;
use crate::shown::shown;

/// So many places are named when the program is in none.
const NAMED: usize = 8;

/// The program was not found.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is nowhere.
    #[error("the image has no file {name}: looked for {}", looked.join(", "))]
    Missing {
        /// The command's first word, quoted.
        name: String,
        /// Where it could have been: some places, and how many more.
        looked: Vec<String>,
    },
    /// A folder, or a link that leads out of the root.
    #[error("{path} of the image cannot be run")]
    Open {
        /// Its place, quoted.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Opens the file that the command's first word means in `root`, by the rule of [`places`]; answers
/// its path in the image too. Links are followed within the root.
///
/// Nothing is said about what is in the file.
///
/// # Errors
/// [`ProgramError`]
pub fn open_program(
    root: &Path,
    name: &str,
    working_dir: &str,
    path: Option<&str>,
) -> Result<(File, PathBuf), ProgramError> {
    let quoted = |path: &Path| shown(Path::new("/").join(path).as_os_str().as_encoded_bytes());
    let refused = |path: &Path, source| ProgramError::Open { path: quoted(path), source };
    let dir = Dir::open_ambient_dir(root, ambient_authority())
        .map_err(|source| refused(Path::new(""), source))?;
    let places = places(name, working_dir, path);
    for place in &places {
        // The root itself is no name to open.
        let wanted = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        match dir.open(wanted).and_then(only_file) {
            Ok(file) => return Ok((file, Path::new("/").join(place))),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(source) => return Err(refused(place, source)),
        }
    }
    let mut looked: Vec<String> = places.iter().take(NAMED).map(|place| quoted(place)).collect();
    if places.len() > NAMED {
        looked.push(format!("and {} more", places.len() - NAMED));
    }
    Err(ProgramError::Missing { name: shown(name), looked })
}

fn only_file(file: cap_std::fs::File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file.into_std())
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
    }
}
