//! Which request means what. Pure.

use http::Method;

use super::query::Query;

/// Something that the process of a Pod can be asked for or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The Pod with its status.
    Status,
    /// What it uses.
    Stats,
    /// To give it other resources.
    Resize,
    /// To evict the Pod.
    Evict,
    /// To end a container as one that is out of memory.
    EvictContainer(String),
    /// To end the Pod gracefully.
    Stop,
    /// To end it at once.
    Kill,
    /// To look at its objects: they may have been changed.
    Sync,
    /// To run a command.
    Exec(String),
    /// To listen to a container, and to write to it.
    Attach(String),
    /// To connect to a port.
    PortForward,
    /// To give files, or to say what is there.
    Download(String),
    /// To take files.
    Upload(String),
}

/// A request that means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unroutable {
    /// No such path.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
}

impl Route {
    /// Reads a request. Names of containers are labels of DNS: nothing in them is ever escaped.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Unroutable> {
        let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let (expected, route) = match parts.as_slice() {
            ["status"] => (Method::GET, Self::Status),
            ["stats"] => (Method::GET, Self::Stats),
            ["resize"] => (Method::PATCH, Self::Resize),
            ["evict"] => (Method::POST, Self::Evict),
            ["stop"] => (Method::POST, Self::Stop),
            ["kill"] => (Method::POST, Self::Kill),
            ["sync"] => (Method::POST, Self::Sync),
            ["portforward"] => (Method::POST, Self::PortForward),
            ["containers", name, what] if !name.is_empty() => {
                let name = (*name).to_owned();
                match *what {
                    "evict" => (Method::POST, Self::EvictContainer(name)),
                    "exec" => (Method::POST, Self::Exec(name)),
                    "attach" => (Method::POST, Self::Attach(name)),
                    "files" if method == Method::PUT => (Method::PUT, Self::Upload(name)),
                    "files" => (Method::GET, Self::Download(name)),
                    _ => return Err(Unroutable::NotFound),
                }
            }
            _ => return Err(Unroutable::NotFound),
        };
        if *method == expected { Ok(route) } else { Err(Unroutable::MethodNotAllowed) }
    }

    /// Whether the answer is a stream, with this query.
    pub(super) fn is_stream(&self, query: Option<&str>) -> bool {
        match self {
            // What is no switch is not on: the answer is what it would be without it.
            Self::Status => Query::of(query).is_on("watch") == Ok(true),
            Self::Download(_) => Query::of(query).is_on("stat") != Ok(true),
            Self::Exec(_) | Self::Attach(_) | Self::PortForward | Self::Upload(_) => true,
            Self::Stats
            | Self::Resize
            | Self::Evict
            | Self::EvictContainer(_)
            | Self::Stop
            | Self::Kill
            | Self::Sync => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_mean_something_or_say_what_is_wrong() {
        use Unroutable::{MethodNotAllowed, NotFound};
        for (method, path, expected) in [
            (Method::GET, "/status", Ok(Route::Status)),
            (Method::GET, "/stats", Ok(Route::Stats)),
            (Method::POST, "/status", Err(MethodNotAllowed)),
            (Method::PATCH, "/resize", Ok(Route::Resize)),
            (Method::GET, "/resize", Err(MethodNotAllowed)),
            (Method::POST, "/evict", Ok(Route::Evict)),
            (Method::POST, "/containers/web/evict", Ok(Route::EvictContainer("web".to_owned()))),
            (Method::GET, "/containers/web/evict", Err(MethodNotAllowed)),
            (Method::POST, "/containers//evict", Err(NotFound)),
            (Method::POST, "/containers/web/evict/", Err(NotFound)),
            (Method::POST, "/stop", Ok(Route::Stop)),
            (Method::POST, "/kill", Ok(Route::Kill)),
            (Method::GET, "/kill", Err(MethodNotAllowed)),
            (Method::POST, "/sync", Ok(Route::Sync)),
            (Method::POST, "/containers/web/exec", Ok(Route::Exec("web".to_owned()))),
            (Method::POST, "/containers/web/attach", Ok(Route::Attach("web".to_owned()))),
            (Method::GET, "/containers/web/files", Ok(Route::Download("web".to_owned()))),
            (Method::PUT, "/containers/web/files", Ok(Route::Upload("web".to_owned()))),
            (Method::POST, "/containers/web/files", Err(MethodNotAllowed)),
            (Method::POST, "/containers/web/run", Err(NotFound)),
            (Method::POST, "/portforward", Ok(Route::PortForward)),
            (Method::GET, "/", Err(NotFound)),
            (Method::GET, "", Err(NotFound)),
            (Method::GET, "/status/", Err(NotFound)),
        ] {
            assert_eq!(Route::of(&method, path), expected, "{method} {path}");
        }
    }
}
