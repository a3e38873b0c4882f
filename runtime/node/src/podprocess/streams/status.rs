//! How a session ended, as the API of Kubernetes says it. Pure.
//!
//! Rule: `v4.channel.k8s.io`, in which a code that is not 0 is a failure with the cause `ExitCode`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};
use wasmpod::lifecycle::Exit;
use wasmpod::pod::SessionEnd;
use wasmpod::sandbox::filesystem::{Copied, CopyError};

/// The reason of a command that failed.
pub(in crate::podprocess) const NON_ZERO_EXIT_CODE: &str = "NonZeroExitCode";
/// The cause whose message is the code.
pub(in crate::podprocess) const EXIT_CODE: &str = "ExitCode";
/// The cause whose message says why, where it is not the command's own choice.
pub(in crate::podprocess) const EXIT_MESSAGE: &str = "ExitMessage";

/// The causes that say what was copied.
pub(in crate::podprocess) const ENTRIES: &str = "Entries";
pub(in crate::podprocess) const BYTES: &str = "Bytes";
/// The cause of something that was passed over.
pub(in crate::podprocess) const NOTE: &str = "Note";

/// The status of a session that has come to its end.
pub(super) fn of_end(end: &SessionEnd) -> Status {
    match end {
        SessionEnd::Exit(exit) if exit.code != 0 => of_code(exit),
        SessionEnd::Exit(_) | SessionEnd::RunEnded => success(),
    }
}

/// The status of a client that was cut off: `lost` bytes were the first that it does not get.
pub(super) fn too_slow(lost: u64) -> Status {
    let message =
        format!("the client reads too slowly: it is cut off, {lost} bytes or more are not shown");
    failure("InternalError", message)
}

pub(super) fn success() -> Status {
    Status { status: Some("Success".to_owned()), ..Status::default() }
}

pub(super) fn failure(reason: &str, message: String) -> Status {
    Status {
        status: Some("Failure".to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message),
        code: Some(500),
        ..Status::default()
    }
}

fn of_code(exit: &Exit) -> Status {
    let code = exit.code.to_string();
    let message = format!("command terminated with non-zero exit code: exit status {code}");
    let why = exit.message.clone().map(|message| cause(EXIT_MESSAGE, message));
    let causes = std::iter::once(cause(EXIT_CODE, code)).chain(why).collect();
    Status { details: details(causes), ..failure(NON_ZERO_EXIT_CODE, message) }
}

/// The status of a copy that has come to its end.
pub(super) fn of_copy(copied: &Result<Copied, CopyError>) -> Status {
    match copied {
        Ok(Copied { entries, bytes, notes }) => {
            let figures = [cause(ENTRIES, entries.to_string()), cause(BYTES, bytes.to_string())];
            let notes = notes.iter().map(|note| cause(NOTE, note.clone()));
            Status { details: details(figures.into_iter().chain(notes).collect()), ..success() }
        }
        Err(error) => {
            let (code, reason) = of_copy_error(error);
            Status { code: Some(code), ..failure(reason, error.to_string()) }
        }
    }
}

/// The code of HTTP and the reason.
pub(in crate::podprocess) fn of_copy_error(error: &CopyError) -> (i32, &'static str) {
    match error {
        error if error.is_not_found() => (404, "NotFound"),
        CopyError::File { .. } | CopyError::Refused { .. } => (403, "Forbidden"),
        CopyError::Archive(_) => (400, "BadRequest"),
        CopyError::Sent(_) | CopyError::Failed(_) => (500, "InternalError"),
    }
}

fn cause(reason: &str, message: String) -> StatusCause {
    StatusCause { reason: Some(reason.to_owned()), message: Some(message), field: None }
}

fn details(causes: Vec<StatusCause>) -> Option<StatusDetails> {
    Some(StatusDetails { causes: Some(causes), ..StatusDetails::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_as_kubectl_reads_it() {
        let exit = Exit::with_code(127).with_message(Some("no such thing".to_owned()));
        let status = serde_json::to_string(&of_end(&SessionEnd::Exit(exit))).unwrap();
        insta::assert_snapshot!(status, @r#"{"apiVersion":"v1","kind":"Status","code":500,"details":{"causes":[{"message":"127","reason":"ExitCode"},{"message":"no such thing","reason":"ExitMessage"}]},"message":"command terminated with non-zero exit code: exit status 127","metadata":{},"reason":"NonZeroExitCode","status":"Failure"}"#);
        let fine = of_end(&SessionEnd::Exit(Exit::completed()));
        assert_eq!(fine.status.as_deref(), Some("Success"));
        assert_eq!(of_end(&SessionEnd::RunEnded).status.as_deref(), Some("Success"));
    }
}
