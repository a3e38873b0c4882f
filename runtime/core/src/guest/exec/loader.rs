//! Programs of files, for the commands of a container.
//!
//! A probe has a second, unless it says otherwise, and a compiler may need more. So a compilation goes
//! on when nobody waits for it any more, not even the run whose liveness probe it was too slow for, and
//! the next command finds what it has made: one at a time for a container, and no longer than its Pod.
//! A file that does not compile is not tried again until it changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Mutex, OnceCell};

use crate::executor::{Account, Blocking, Task, TaskError};
use crate::guest::Toolbox;
use crate::guest::engine::Engines;
use crate::guest::exit::StartError;
use crate::guest::link::Grant;
use crate::guest::program::{PrepareError, Program};
use crate::image::{CacheError, Code, CodeCache, FileIdentity, GuestKind, ImageError, ImageFile};

/// Makes programs of files. Clones share what is under way, which ends with the last of them.
#[derive(Clone)]
pub struct Loader {
    engines: Engines,
    cache: CodeCache,
    account: Account,
    state: Arc<Mutex<State>>,
    toolbox: Option<Toolbox>,
    /// The toolbox, once it was used.
    tools: Arc<OnceCell<Program>>,
}

#[derive(Default)]
struct State {
    under_way: Option<UnderWay>,
    /// The last file that does not compile, and why.
    failed: Option<(FileIdentity, ImageError)>,
}

struct UnderWay {
    file: FileIdentity,
    name: PathBuf,
    /// When it had that identity.
    looked_at: SystemTime,
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
        let cache = cache.paid_by(account.clone());
        let (state, tools) = (Arc::default(), Arc::default());
        Self { engines, cache, account, state, toolbox: None, tools }
    }

    /// With the tools of `toolbox` for commands that the container itself does not have.
    #[must_use]
    pub fn with_toolbox(mut self, toolbox: Option<Toolbox>) -> Self {
        self.toolbox = toolbox;
        self
    }

    pub(super) fn has_toolbox(&self) -> bool {
        self.toolbox.is_some()
    }

    /// The toolbox as a program, if there is one.
    ///
    /// # Errors
    /// [`Unfit`]
    ///
    /// # Cancel safety
    /// As [`Loader::command`].
    pub(super) async fn toolbox(&self) -> Result<Option<Program>, Unfit> {
        let Some(toolbox) = &self.toolbox else { return Ok(None) };
        let make = async || {
            let (cache, toolbox) = (self.cache.clone(), toolbox.clone());
            let name = PathBuf::from("toolbox");
            let failed = |source| ImageError::Cache { path: name.clone(), source };
            let keep = move || cache.keep("toolbox", toolbox.wasm());
            let kept = self.blocking().spawn(keep).await;
            let kept = kept.unwrap_or_else(|panic| Err(CacheError::Compiler(panic.to_string())));
            let image = ImageFile::Path(kept.map_err(failed)?);
            self.program(image, Grant::Processes).await
        };
        self.tools.get_or_try_init(make).await.cloned().map(Some)
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
        self.program(image, Grant::Nothing).await
    }

    async fn program(&self, image: ImageFile, grant: Grant) -> Result<Program, Unfit> {
        let code = match self.cache.find(image.clone())? {
            Some(code) => code,
            None => self.compile(&image, None).await?,
        };
        // What was found is run: the file may be another by now.
        match self.load(&code, grant) {
            Err(Unfit::Prepare(PrepareError::Start(StartError::Load { path, source }))) => {
                tracing::warn!(path, error = format!("{source:#}"), "compiling again");
                self.load(&self.compile(&image, Some(code)).await?, grant)
            }
            other => other,
        }
    }

    fn load(&self, code: &Code, grant: Grant) -> Result<Program, Unfit> {
        // Looked at first: the engine of an HTTP handler is a large one.
        match code.shape.kind {
            kind if kind.is_command() => Ok(Program::load_granting(&self.engines, code, grant)?),
            kind => Err(Unfit::Kind(kind)),
        }
    }

    /// The code of `image`, in place of what the engine has `refused`.
    async fn compile(&self, image: &ImageFile, refused: Option<Code>) -> Result<Code, ImageError> {
        let looked_at = SystemTime::now();
        let file = image.identity()?;
        let mut state = self.state.lock().await;
        if let Some(other) = state.under_way.as_mut().filter(|other| other.file != file) {
            let end = other.end().await;
            state.note(&end);
        }
        if let Some((_, error)) = state.failed.as_ref().filter(|(failed, _)| *failed == file)
            && let Some(error) = fault_of_file(error)
        {
            return Err(error);
        }
        let mine = state.under_way.get_or_insert_with(|| {
            let (cache, image) = (self.cache.clone(), image.clone());
            let name = image.name().to_owned();
            let compile = async move {
                match refused {
                    Some(code) => cache.recompile(image, code, || {}).await,
                    None => cache.code(image, || {}).await,
                }
            };
            UnderWay { file, name, looked_at, compiling: self.account.spawn(compile) }
        });
        let end = mine.end().await;
        state.note(&end);
        end
    }
}

impl State {
    /// What was under way has come to this end.
    fn note(&mut self, end: &Result<Code, ImageError>) {
        let Some(UnderWay { file, looked_at, .. }) = self.under_way.take() else { return };
        if let Err(error) = end
            && file.settled(looked_at)
            && let Some(error) = fault_of_file(error)
        {
            self.failed = Some((file, error));
        }
    }
}

impl UnderWay {
    /// It stays in its place until it has ended: whoever waits here may be dropped.
    async fn end(&mut self) -> Result<Code, ImageError> {
        (&mut self.compiling).await.unwrap_or_else(|error| {
            let problem = match error {
                TaskError::Aborted => "the Pod has ended".to_owned(),
                TaskError::Panicked(message) => message,
            };
            let source = CacheError::Compiler(problem);
            Err(ImageError::Cache { path: self.name.clone(), source })
        })
    }
}

/// The error once more, if it is the same each time that the file is compiled.
fn fault_of_file(error: &ImageError) -> Option<ImageError> {
    match error {
        ImageError::Unusable { path, message } => {
            Some(ImageError::Unusable { path: path.clone(), message: message.clone() })
        }
        ImageError::Compile { path, message } => {
            Some(ImageError::Compile { path: path.clone(), message: message.clone() })
        }
        _ => None,
    }
}
