//! The text that a shell waits with.

use super::parse::{ParseError, Parser};
use super::state::Shell;

impl Shell {
    /// The value of `PS1` or `PS2`: backslashes as in bash and busybox, then parameters.
    pub(crate) fn prompt(&mut self, name: &str) -> String {
        let text = self.variables.get(name).unwrap_or_default().to_owned();
        let text = self.unescaped(&text);
        let word = Parser::new(&text, &self.aliases).whole_text();
        let status = self.status;
        let expanded = word.ok().and_then(|word| self.expand_text(&word).ok());
        self.status = status;
        expanded.unwrap_or(text)
    }

    fn unescaped(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '\\' {
                out.push(character);
                continue;
            }
            match rest.next() {
                Some('w') => out += &self.shown_folder(),
                Some('W') => out += self.shown_folder().rsplit('/').next().unwrap_or_default(),
                Some('$') => out += "#",
                Some('h' | 'H') => out += self.variables.get("HOSTNAME").unwrap_or("localhost"),
                Some('u') => out += "root",
                Some('n') => out.push('\n'),
                Some('e') => out.push('\x1b'),
                Some('[' | ']') => {}
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            }
        }
        out
    }

    fn shown_folder(&self) -> String {
        let folder = crate::path::working_folder().display().to_string();
        let home = self.variables.get("HOME").filter(|home| home.len() > 1);
        match home.and_then(|home| folder.strip_prefix(home)) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
            _ => folder,
        }
    }

    /// Whether a text is the beginning of a command that goes on.
    pub(crate) fn wants_more(&self, text: &str) -> bool {
        let mut parser = Parser::new(text, &self.aliases);
        loop {
            match parser.next() {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(problem) => return matches!(problem, ParseError::Incomplete { .. }),
            }
        }
    }
}
