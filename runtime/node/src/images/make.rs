//! Images out of local files and archives, and into archives.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use wasmpod_images::archive::{Loaded, load, save};
use wasmpod_images::digest::Digest;
use wasmpod_images::pack::Pack;
use wasmpod_images::reference::Reference;

use super::error::Problem;
use super::list::short_id;
use super::machine::Images;

impl Images {
    /// Makes an image, which gets this name; answers the name with its digest.
    ///
    /// # Errors
    /// The files make no image, or the store cannot be used.
    pub fn pack(&self, pack: &Pack, name: &Reference) -> Result<Reference, Problem> {
        let layout = self.open()?;
        let pin = layout.pin("pack")?;
        let manifest = pack.write(&mut &pin)?;
        let digest = Digest::of(&manifest)?;
        layout.name(name, &digest, None)?;
        Ok(name.at(digest))
    }

    /// Writes images as an OCI archive.
    ///
    /// # Errors
    /// There is no such image, or nothing can be written; what was written is no archive then.
    pub fn save(&self, names: &[Reference], output: impl Write) -> Result<(), Problem> {
        let Some(layout) = self.look()? else {
            let first = names.first().map(Reference::familiar).unwrap_or_default();
            return Err(Problem::NotFound(first));
        };
        Ok(save(&layout, names, output)?)
    }

    /// The same into a file, which is there when all of it is.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_to(&self, names: &[Reference], path: &Path) -> Result<(), Problem> {
        let failed = |source| Problem::File { path: path.to_owned(), source };
        // Something that is no file (`/dev/null`, a pipe) is not replaced but written to.
        if path.exists() && !path.is_file() {
            let file = File::options().write(true).open(path).map_err(failed)?;
            return self.save(names, BufWriter::new(file));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}", std::process::id()));
        let partial = Path::new(&partial);
        let written = File::create(partial).map_err(failed).and_then(|file| {
            let mut output = BufWriter::new(file);
            self.save(names, &mut output)?;
            output.flush().and_then(|()| fs::rename(partial, path)).map_err(failed)
        });
        if written.is_err() {
            let _ = fs::remove_file(partial);
        }
        written
    }

    /// Takes all images of an archive; answers what they are called, by name or ID.
    ///
    /// # Errors
    /// It is no archive, or an image of it cannot run here: then none of them comes.
    pub fn load(&self, input: impl Read) -> Result<Vec<String>, Problem> {
        let layout = self.open()?;
        let pin = layout.pin("load")?;
        let loaded = load(&pin, input)?;
        let mut names = Vec::new();
        for Loaded { name, digest } in loaded {
            names.push(match name {
                Some(name) => name.familiar(),
                None => {
                    // Without a name it would be gone with the next look at what nobody needs.
                    let name = nameless(&digest);
                    layout.name(&name, &digest, None)?;
                    name.familiar()
                }
            });
        }
        Ok(names)
    }
}

/// As `docker load` and podman do not: they keep it as `<none>`. Here what has no name is nobody's.
fn nameless(digest: &Digest) -> Reference {
    let text = format!("localhost/loaded:{}", short_id(digest));
    text.parse().expect("digits of a digest are a tag")
}
