//! Which request means what. Pure.

use http::Method;

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
            ["containers", name, "evict"] if !name.is_empty() => {
                (Method::POST, Self::EvictContainer((*name).to_owned()))
            }
            _ => return Err(Unroutable::NotFound),
        };
        if *method == expected { Ok(route) } else { Err(Unroutable::MethodNotAllowed) }
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
            (Method::GET, "/", Err(NotFound)),
            (Method::GET, "", Err(NotFound)),
            (Method::GET, "/status/", Err(NotFound)),
        ] {
            assert_eq!(Route::of(&method, path), expected, "{method} {path}");
        }
    }
}
