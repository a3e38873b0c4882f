//! Why a request failed, in the one word that programs go by.

use std::fmt;

/// `reason` of a `Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no such object.
    NotFound,
    /// There is one of this name.
    AlreadyExists,
    /// It has changed in the meantime, or is another than was meant.
    Conflict,
    /// It breaks a rule for its kind.
    Invalid,
    /// The request makes no sense.
    BadRequest,
    /// It is not allowed.
    Forbidden,
    /// Who asks is not known.
    Unauthorized,
    /// It is no longer there.
    Gone,
    /// The log no longer reaches back that far.
    Expired,
    /// The body is of a type that nobody reads.
    UnsupportedMediaType,
    /// No reply could be of a type that was asked for.
    NotAcceptable,
    /// The resource has no such verb.
    MethodNotAllowed,
    /// It took too long.
    Timeout,
    /// It could not be done at this time.
    ServerTimeout,
    /// Too much is asked at once.
    TooManyRequests,
    /// The body is too large.
    RequestEntityTooLarge,
    /// The server cannot answer now.
    ServiceUnavailable,
    /// The server itself has failed.
    InternalError,
    /// A reason of another server that is not listed here.
    Unknown,
}

const ALL: [Reason; 18] = [
    Reason::NotFound,
    Reason::AlreadyExists,
    Reason::Conflict,
    Reason::Invalid,
    Reason::BadRequest,
    Reason::Forbidden,
    Reason::Unauthorized,
    Reason::Gone,
    Reason::Expired,
    Reason::UnsupportedMediaType,
    Reason::NotAcceptable,
    Reason::MethodNotAllowed,
    Reason::Timeout,
    Reason::ServerTimeout,
    Reason::TooManyRequests,
    Reason::RequestEntityTooLarge,
    Reason::ServiceUnavailable,
    Reason::InternalError,
];

impl Reason {
    /// The HTTP code that goes with it.
    pub fn code(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Invalid => 422,
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::Unauthorized => 401,
            Self::Gone | Self::Expired => 410,
            Self::UnsupportedMediaType => 415,
            Self::NotAcceptable => 406,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 504,
            Self::ServerTimeout | Self::InternalError | Self::Unknown => 500,
            Self::TooManyRequests => 429,
            Self::RequestEntityTooLarge => 413,
            Self::ServiceUnavailable => 503,
        }
    }

    /// As it is written in a `Status`; [`Reason::Unknown`] is written as nothing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Invalid => "Invalid",
            Self::BadRequest => "BadRequest",
            Self::Forbidden => "Forbidden",
            Self::Unauthorized => "Unauthorized",
            Self::Gone => "Gone",
            Self::Expired => "Expired",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::NotAcceptable => "NotAcceptable",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::Timeout => "Timeout",
            Self::ServerTimeout => "ServerTimeout",
            Self::TooManyRequests => "TooManyRequests",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::InternalError => "InternalError",
            Self::Unknown => "",
        }
    }

    /// The reason that is written so.
    pub fn of_text(text: &str) -> Self {
        ALL.into_iter().find(|known| known.as_str() == text).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
