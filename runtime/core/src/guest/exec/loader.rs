//! Programs of files, for the commands of one run of a container.
//!
//! A probe has a second, unless it says otherwise, and a compiler may need more. So a compilation goes
//! on when nobody waits for it any more, and the next command finds what it has made: one at a time for
//! a container, and no longer than its run.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::executor::{Account, Blocking, Task, TaskError};
use crate::guest::engine::Engines;
use crate::guest::program::{PrepareError, Program};
use crate::image::{CacheError, Code, CodeCache, FileIdentity, GuestKind, ImageError, ImageFile};

/// Makes programs of files. Clones share what is under way, which ends with the last of them.
#[derive(Clone)]
pub struct Loader {
    engines: Engines,
    cache: CodeCache,
    account: Account,
    under_way: Arc<Mutex<Option<UnderWay>>>,
}

struct UnderWay {
    file: FileIdentity,
    compiling: Task<Result<Code, ImageError>>,
}

/// Why a file is no command.
pub(super) enum Unfit {
    /// It is a guest of another kind.
    Kind(GuestKind),
    /// It is none, or cannot be linked.
    Prepare(PrepareError),
}

impl<Error: Into<PrepareError>> From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self::Prepare(error.into())
    }
}

impl Loader {
    /// For the container of `account`.
    pub fn new(engines: Engines, cache: CodeCache, account: Account) -> Self {
        Self { engines, cache, account, under_way: Arc::default() }
    }

    /// Where files are looked at.
    pub(super) fn blocking(&self) -> Blocking {
        self.cache.blocking()
    }

    /// The command in `image`.
    ///
    /// # Errors
    /// [`Unfit`]
    ///
    /// # Cancel safety
    /// Safe: a compilation goes on for the next who asks.
    pub(super) async fn command(&self, image: ImageFile) -> Result<Program, Unfit> {
        let code = match self.cache.find(image.clone())? {
            Some(code) => code,
            None => self.compile(&image).await?,
        };
        // Looked at first: the engine of an HTTP handler is a large one.
        match code.shape.kind {
            kind if kind.is_command() => {
                Ok(Program::prepare(&self.engines, &self.cache, image, || {}).await?)
            }
            kind => Err(Unfit::Kind(kind)),
        }
    }

    async fn compile(&self, image: &ImageFile) -> Result<Code, ImageError> {
        let file = image.identity()?;
        let mut under_way = self.under_way.lock().await;
        // Each stays in its place until it has ended: whoever waits here may be dropped.
        if let Some(other) = under_way.as_mut().filter(|other| other.file != file) {
            let _ = (&mut other.compiling).await;
            *under_way = None;
        }
        let mine = under_way.get_or_insert_with(|| {
            let (cache, image) = (self.cache.clone(), image.clone());
            let compile = async move { cache.code(image, || {}).await };
            UnderWay { file, compiling: self.account.spawn(compile) }
        });
        let ended = (&mut mine.compiling).await;
        *under_way = None;
        ended.unwrap_or_else(|error| {
            let problem = match error {
                TaskError::Aborted => "the container has ended".to_owned(),
                TaskError::Panicked(message) => message,
            };
            let source = CacheError::Compiler(problem);
            Err(ImageError::Cache { path: image.name().to_owned(), source })
        })
    }
}
