//! What the query of a request says. Pure.

use std::fmt;
use std::str::FromStr;

use wasmpod::pod::ExecRequest;
use wasmpod::sandbox::terminal::TerminalSize;

/// The pairs of a query, decoded.
pub(super) struct Query(Vec<(String, String)>);

/// A pair that says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueryError {
    name: &'static str,
    problem: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the parameter {:?} of the request {}", self.name, self.problem)
    }
}

impl Query {
    pub(super) fn of(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A switch, as the API of Kubernetes reads one; absent it is off.
    pub(super) fn is_on(&self, name: &'static str) -> Result<bool, QueryError> {
        match self.value(name) {
            None | Some("" | "0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(other) => {
                Err(QueryError { name, problem: format!("is {other:?}: it would be 0 or 1") })
            }
        }
    }

    fn number(&self, name: &'static str) -> Result<Option<u16>, QueryError> {
        let number = |value| {
            u16::from_str(value).map_err(|_| QueryError {
                name,
                problem: format!("is {value:?}: it would be a number up to 65535"),
            })
        };
        self.value(name).map(number).transpose()
    }

    /// A port, which must be there.
    pub(super) fn port(&self) -> Result<u16, QueryError> {
        let name = "port";
        match self.number(name)? {
            Some(0) => Err(QueryError { name, problem: "is 0: no port has it".to_owned() }),
            Some(port) => Ok(port),
            None => Err(QueryError { name, problem: "is missing".to_owned() }),
        }
    }

    /// A path, which must be there and be absolute.
    pub(super) fn path(&self) -> Result<String, QueryError> {
        let name = "path";
        match self.value(name) {
            Some(path) if path.starts_with('/') => Ok(path.to_owned()),
            Some(path) => {
                let problem = format!("is {path:?}: it would begin with `/`");
                Err(QueryError { name, problem })
            }
            None => Err(QueryError { name, problem: "is missing".to_owned() }),
        }
    }

    /// A command with its streams. Output and errors are wanted unless they are switched off.
    pub(super) fn exec(&self) -> Result<ExecRequest, QueryError> {
        let is_wanted = |name| match self.value(name) {
            None => Ok(true),
            Some(_) => self.is_on(name),
        };
        let command = self.0.iter().filter(|(name, _)| name == "command");
        let command: Vec<String> = command.map(|(_, word)| word.clone()).collect();
        if command.is_empty() {
            let problem = "is missing: you must specify at least one command for the container";
            return Err(QueryError { name: "command", problem: problem.to_owned() });
        }
        let size = TerminalSize {
            rows: self.number("rows")?.unwrap_or_default(),
            columns: self.number("cols")?.unwrap_or_default(),
        };
        Ok(ExecRequest {
            command,
            stdin: self.is_on("stdin")?,
            stdout: is_wanted("stdout")?,
            stderr: is_wanted("stderr")?,
            terminal: self.is_on("tty")?.then_some(size),
        })
    }
}

/// The query that [`Query::exec`] reads.
pub(super) fn of_exec(request: &ExecRequest) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for word in &request.command {
        query.append_pair("command", word);
    }
    let switches =
        [("stdin", request.stdin), ("stdout", request.stdout), ("stderr", request.stderr)];
    for (name, is_on) in switches {
        query.append_pair(name, if is_on { "1" } else { "0" });
    }
    if let Some(size) = request.terminal {
        query.append_pair("tty", "1");
        query.append_pair("rows", &size.rows.to_string());
        query.append_pair("cols", &size.columns.to_string());
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_command_arrives_as_it_was_sent(
            command in prop::collection::vec(any::<String>(), 1..5),
            switches: [bool; 3],
            terminal: Option<(u16, u16)>,
        ) {
            let [stdin, stdout, stderr] = switches;
            let terminal = terminal.map(|(rows, columns)| TerminalSize { rows, columns });
            let request = ExecRequest { command, stdin, stdout, stderr, terminal };
            prop_assert_eq!(Query::of(Some(&of_exec(&request))).exec(), Ok(request));
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let exec = |text| Query::of(Some(text)).exec().unwrap_err().to_string();
        insta::assert_snapshot!(exec("stdin=1"), @r#"the parameter "command" of the request is missing: you must specify at least one command for the container"#);
        insta::assert_snapshot!(exec("command=a&tty=yes"), @r#"the parameter "tty" of the request is "yes": it would be 0 or 1"#);
        insta::assert_snapshot!(exec("command=a&rows=-1"), @r#"the parameter "rows" of the request is "-1": it would be a number up to 65535"#);
        let port = |text| Query::of(Some(text)).port().map_err(|error| error.to_string());
        assert_eq!(port("port=8080"), Ok(8080));
        for wrong in ["port=0", "port=", "port=65536", "", "port=http"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
        assert!(Query::of(Some("path=etc")).path().is_err());
        assert_eq!(Query::of(Some("path=%2Fa%20b")).path().unwrap(), "/a b");
    }
}
