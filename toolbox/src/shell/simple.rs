//! One command: its words, its variables, what it is.

use super::ast::{Simple, Word};
use super::builtins;
use super::external;
use super::state::{Run, Shell, Stop};
use super::variables::Variable;

impl Shell {
    pub(crate) fn run_simple(&mut self, simple: &Simple) -> Run {
        self.substituted = None;
        let words = self.expand_words(&simple.words)?;
        if words.is_empty() {
            return self.only_assign(simple);
        }
        if builtins::changes_streams(&words[0]) && !self.functions.contains_key(&words[0]) {
            // `exec 2>file`: for good.
            if let Err(stop) = self.redirect(&simple.redirects) {
                return Self::code_of(stop);
            }
            return self
                .with_variables(&simple.assignments, &words, |shell| shell.dispatch(&words));
        }
        self.redirected(&simple.redirects, |shell| {
            shell.with_variables(&simple.assignments, &words, |shell| shell.dispatch(&words))
        })
    }

    fn only_assign(&mut self, simple: &Simple) -> Run {
        let assigned = |shell: &mut Self| {
            for (name, value) in &simple.assignments {
                let value = shell.expand_text(value)?;
                if shell.options.trace {
                    shell.trace(&[format!("{name}={value}")]);
                }
                shell.assign(name, value)?;
            }
            Ok(shell.substituted.unwrap_or(0))
        };
        self.redirected(&simple.redirects, assigned)
    }

    /// Runs with variables that hold for this command alone; those of special builtins stay.
    fn with_variables(
        &mut self,
        assignments: &[(String, Word)],
        words: &[String],
        run: impl FnOnce(&mut Self) -> Run,
    ) -> Run {
        let stays = builtins::is_special(&words[0]) && !self.functions.contains_key(&words[0]);
        let mut before: Vec<(String, Option<Variable>)> = Vec::new();
        let mut shown = Vec::new();
        for (name, value) in assignments {
            let value = self.expand_text(value)?;
            shown.push(format!("{name}={value}"));
            let known = self.variables.iter().find(|(known, _)| *known == name);
            let known = known.map(|(_, variable)| variable.clone());
            self.assign(name, value)?;
            if !stays {
                before.push((name.clone(), known));
                self.variables.export(name, true);
            }
        }
        if self.options.trace {
            shown.extend(words.iter().cloned());
            self.trace(&shown);
        }
        let ran = run(self);
        for (name, known) in before.into_iter().rev() {
            self.variables.replace(&name, known);
        }
        ran
    }

    /// `set -x`
    fn trace(&self, words: &[String]) {
        let prefix = self.variables.get("PS4").unwrap_or("+ ");
        let words: Vec<String> = words.iter().map(|word| quoted_if_needed(word)).collect();
        let _ = self.fd(2).write(format!("{prefix}{}\n", words.join(" ")).as_bytes());
    }

    fn dispatch(&mut self, words: &[String]) -> Run {
        if self.options.no_exec {
            return Ok(0);
        }
        // A special builtin comes before a function.
        if !builtins::is_special(&words[0])
            && let Some(body) = self.functions.get(&words[0]).cloned()
        {
            return self.call(&body, words);
        }
        self.run_without_functions(words)
    }

    /// A builtin or what is outside of the shell.
    pub(crate) fn run_without_functions(&mut self, words: &[String]) -> Run {
        if let Some(builtin) = builtins::find(&words[0]) {
            let mut streams = self.streams();
            let ran = builtin(self, words, &mut streams);
            let flushed = std::io::Write::flush(&mut streams.out);
            if streams.out.broken {
                return match ran {
                    // As a process ends that writes to nobody.
                    Ok(_) if self.subshell => Err(Stop::Exit(141)),
                    ran => ran,
                };
            }
            if let (Ok(0), Err(error)) = (&ran, flushed) {
                self.complain(format!("{}: write error: {}", words[0], crate::problem(&error)));
                return Ok(1);
            }
            return ran;
        }
        external::run(self, words)
    }
}

/// A word as it could be typed.
pub(crate) fn quoted_if_needed(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "_-./:=@%+,".contains(character);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
