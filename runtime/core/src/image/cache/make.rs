//! Making code that is not there.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use super::error::CacheError;
use super::folder::create_folder;
use super::source::{self, absolute, hash};
use super::store::{Code, Shared};
use super::workplace::Workplace;
use crate::image::compile::{Cancel, CompileError, Compiled, Request};
use crate::image::error::ImageError;
use crate::image::file::ImageFile;
use crate::image::kind::Shape;
use crate::image::profile::{Metering, Reservation};

/// How long to wait between looks at another process's compilation.
const LOCK_POLL: Duration = Duration::from_millis(10);

impl Shared {
    /// The code of `image`, compiled unless another has done that meanwhile.
    pub(super) fn make(
        &self,
        image: &ImageFile,
        may_be_quick: bool,
        cancel: &Cancel,
    ) -> Result<Code, ImageError> {
        let in_cache = |source| ImageError::Cache { path: image.name().to_owned(), source };
        for folder in ["code", "memo", "locks"] {
            create_folder(&self.folder.join(folder)).map_err(in_cache)?;
        }
        // Twice: the file may have been replaced between hashing and compiling.
        for _ in 0..2 {
            // Before anything of it is read: what changes the file later tells by its times.
            let looked_at = SystemTime::now();
            let (digest, identity) = hash(image, cancel)?;
            let _lock = self.lock(image, &digest, cancel).map_err(in_cache)?;
            let code = match self.recall(&digest) {
                Some(code) => code,
                None => {
                    let Some(code) = self.compile(image, &digest, may_be_quick, cancel)? else {
                        continue;
                    };
                    self.prune();
                    code
                }
            };
            self.remember(identity, looked_at, &code);
            self.improve(image, &code);
            return Ok(code);
        }
        let source = CacheError::Compiler("it was changed while it was compiled".to_owned());
        Err(in_cache(source))
    }

    /// The code of the image with this digest; none if it is another by now.
    fn compile(
        &self,
        image: &ImageFile,
        digest: &str,
        may_be_quick: bool,
        cancel: &Cancel,
    ) -> Result<Option<Code>, ImageError> {
        let in_cache = |source| ImageError::Cache { path: image.name().to_owned(), source };
        let workplace = Workplace::new(&self.code_folder()).map_err(in_cache)?;
        let (file, of_guest) = match image {
            ImageFile::Path(file) => (absolute(file), false),
            ImageFile::Open { .. } => {
                let copy = workplace.path("image");
                source::copy(image, &copy, cancel)?;
                (copy, true)
            }
        };
        let request = Request {
            may_be_quick: may_be_quick && !of_guest && self.compiler.improves(),
            ..self.request(file, workplace.path("code"), of_guest)
        };
        let compiled = self.ask(image, &request, cancel)?;
        // Whoever has taken the compiler over by a flaw says what he likes.
        if compiled.digest != digest {
            return Ok(None);
        }
        if Shape::from_tag(&compiled.tag).is_none() {
            let problem = format!("the compiling process says that it is {:?}", compiled.tag);
            return Err(in_cache(CacheError::Compiler(problem)));
        }
        let name = format!("{digest}.{}.{}", self.key, compiled.tag);
        if compiled.is_quick {
            self.mark_quick(&name).map_err(in_cache)?;
        }
        let code = self.code_folder().join(&name);
        fs::rename(&request.output, &code)
            .map_err(|source| in_cache(CacheError::Io { path: code.clone(), source }))?;
        if compiled.is_quick {
            // Who prunes may have found the first one without its code.
            self.mark_quick(&name).map_err(in_cache)?;
        } else {
            let _ = fs::remove_file(self.mark(&name));
        }
        self.link(digest, &name).map_err(in_cache)?;
        let vanished = || {
            let source = io::Error::other("compiled code vanished at once");
            in_cache(CacheError::Io { path: code.clone(), source })
        };
        self.take(&name).map(Some).ok_or_else(vanished)
    }

    pub(super) fn request(&self, image: PathBuf, output: PathBuf, of_guest: bool) -> Request {
        Request {
            image,
            output,
            small_reservation: self.reservation == Reservation::Small,
            fuel: self.metering == Metering::Fuel,
            of_guest,
            behind: of_guest,
            may_be_quick: false,
        }
    }

    fn ask(
        &self,
        image: &ImageFile,
        request: &Request,
        cancel: &Cancel,
    ) -> Result<Compiled, ImageError> {
        let (answer, cpu) = self.compiler.compile(request, cancel);
        if let Some(payer) = &self.payer {
            payer.charge(cpu);
        }
        let path = image.name().to_owned();
        answer.map_err(|error| match error {
            CompileError::Kind(message) => ImageError::Unusable { path, message },
            CompileError::Invalid(message) => ImageError::Compile { path, message },
            CompileError::Host(message) => {
                ImageError::Cache { path, source: CacheError::Compiler(message) }
            }
            CompileError::Cancelled => {
                let source = CacheError::Compiler(CompileError::Cancelled.to_string());
                ImageError::Cache { path, source }
            }
        })
    }

    /// The lock of everything whose digest starts with the same byte; a fixed set of files, since a
    /// lock file that is removed can be locked twice. Files of guests have a set of their own: a
    /// guest that makes one slow to compile holds up no image.
    fn lock(&self, image: &ImageFile, digest: &str, cancel: &Cancel) -> Result<File, CacheError> {
        let first_byte = &digest[..2];
        let name = match image {
            ImageFile::Path(_) => first_byte.to_owned(),
            ImageFile::Open { .. } => format!("guest-{first_byte}"),
        };
        let path = self.folder.join("locks").join(name);
        let failed = |source| CacheError::Io { path: path.clone(), source };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if cancel.is_cancelled() => {
                    return Err(CacheError::Compiler(CompileError::Cancelled.to_string()));
                }
                Err(fs::TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
                Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }
}
