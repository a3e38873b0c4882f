//! Running commands: lists, conditions, loops.

use std::rc::Rc;

use super::ast::{AndOr, Arm, Command, Compound, Item, Link, List, Pipeline, Redirect, Word};
use super::state::{Run, Shell, Stop};
use super::{children, pattern};
use crate::sys;

/// A function that calls itself without an end must not take the machine's stack.
const MOST_CALLS: u32 = 60;

impl Shell {
    /// Runs commands one after the other; the code is the last one's.
    pub(crate) fn run_list(&mut self, list: &List) -> Run {
        let count = list.0.len();
        for (number, item) in list.0.iter().enumerate() {
            // What comes after it still needs this process.
            let expendable = std::mem::replace(&mut self.expendable, false);
            self.expendable = expendable && number + 1 == count && self.traps.is_empty();
            let ran = self.run_item(item);
            self.expendable = expendable;
            self.status = ran?;
            self.interrupted()?;
        }
        Ok(self.status)
    }

    fn run_item(&mut self, item: &Item) -> Run {
        match item.background {
            true => children::background(self, &item.and_or),
            false => self.run_and_or(&item.and_or),
        }
    }

    /// Whether Ctrl-C came; only a shell at a terminal goes on after it.
    pub(crate) fn interrupted(&self) -> Run<()> {
        match self.options.interactive && !self.subshell && sys::interrupts() > 0 {
            true => Err(Stop::Interrupted),
            false => Ok(()),
        }
    }

    pub(crate) fn run_and_or(&mut self, and_or: &AndOr) -> Run {
        let expendable = self.expendable;
        self.expendable = expendable && and_or.rest.is_empty();
        let last = and_or.rest.len();
        let ran = self.run_tested(&and_or.first, last > 0);
        self.expendable = expendable;
        let mut status = ran?;
        self.status = status;
        for (number, (link, pipeline)) in and_or.rest.iter().enumerate() {
            if (status == 0) == (*link == Link::And) {
                let expendable = std::mem::replace(&mut self.expendable, false);
                let ran = self.run_tested(pipeline, number + 1 < last);
                self.expendable = expendable;
                status = ran?;
                self.status = status;
            }
        }
        Ok(status)
    }

    fn run_tested(&mut self, pipeline: &Pipeline, is_condition: bool) -> Run {
        let tested = is_condition || pipeline.negated;
        self.tested += u32::from(tested);
        let ran = self.run_pipeline(pipeline);
        self.tested -= u32::from(tested);
        let status = ran?;
        if pipeline.negated {
            return Ok(i32::from(status == 0));
        }
        if status != 0 && !tested && self.options.exit_on_error && self.tested == 0 {
            return Err(Stop::Exit(status));
        }
        Ok(status)
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline) -> Run {
        if pipeline.negated {
            self.expendable = false;
        }
        match &pipeline.commands[..] {
            [only] => self.run_command(only),
            commands => children::pipeline(self, commands),
        }
    }

    pub(crate) fn run_command(&mut self, command: &Rc<Command>) -> Run {
        match &**command {
            Command::Simple(simple) => self.run_simple(simple),
            Command::Function(name, body) => {
                self.functions.insert(name.clone(), Rc::clone(body));
                Ok(0)
            }
            Command::Compound(compound, redirects) => {
                if !matches!(compound, Compound::Subshell(_)) {
                    self.expendable &= redirects.is_empty();
                }
                self.redirected(redirects, |shell| shell.run_compound(compound))
            }
        }
    }

    /// Runs with redirections, and takes them back.
    pub(crate) fn redirected(
        &mut self,
        redirects: &[Redirect],
        run: impl FnOnce(&mut Self) -> Run,
    ) -> Run {
        if redirects.is_empty() {
            return run(self);
        }
        let before = self.fds.clone();
        let ran = match self.redirect(redirects) {
            Ok(()) => run(self),
            // It is the command that has failed, not the script.
            Err(Stop::Failed(code)) => Ok(code),
            Err(stop) => Err(stop),
        };
        self.fds = before;
        ran
    }

    fn run_compound(&mut self, compound: &Compound) -> Run {
        match compound {
            Compound::Group(list) => self.run_list(list),
            Compound::Subshell(list) => children::subshell(self, list),
            Compound::If { arms, otherwise } => {
                for (condition, body) in arms {
                    if self.holds(condition)? {
                        return self.run_list(body);
                    }
                }
                match otherwise {
                    Some(list) => self.run_list(list),
                    None => Ok(0),
                }
            }
            Compound::For { name, words, body } => self.run_for(name, words.as_deref(), body),
            Compound::Loop { until, condition, body } => {
                let mut status = 0;
                self.in_loop(
                    |shell| {
                        if shell.holds(condition)? == *until {
                            return Ok(None);
                        }
                        shell.run_list(body).map(Some)
                    },
                    &mut status,
                )?;
                Ok(status)
            }
            Compound::Case { word, arms } => self.run_case(word, arms),
        }
    }

    /// Runs a condition.
    fn holds(&mut self, condition: &List) -> Run<bool> {
        let expendable = std::mem::replace(&mut self.expendable, false);
        self.tested += 1;
        let ran = self.run_list(condition);
        self.tested -= 1;
        self.expendable = expendable;
        Ok(ran? == 0)
    }

    fn run_for(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Run {
        let values = match words {
            Some(words) => self.expand_words(words)?,
            None => self.positional.clone(),
        };
        let mut values = values.into_iter();
        let mut status = 0;
        self.in_loop(
            |shell| {
                let Some(value) = values.next() else { return Ok(None) };
                shell.assign(name, value)?;
                shell.run_list(body).map(Some)
            },
            &mut status,
        )?;
        Ok(status)
    }

    /// Goes round until `round` has none left or says so.
    fn in_loop(
        &mut self,
        mut round: impl FnMut(&mut Self) -> Run<Option<i32>>,
        status: &mut i32,
    ) -> Run<()> {
        let expendable = std::mem::replace(&mut self.expendable, false);
        self.loops += 1;
        let ended = loop {
            match round(self) {
                Ok(Some(code)) => *status = code,
                Ok(None) | Err(Stop::Break(0 | 1)) => break Ok(()),
                Err(Stop::Continue(0 | 1)) => {}
                Err(Stop::Break(more)) => break Err(Stop::Break(more - 1)),
                Err(Stop::Continue(more)) => break Err(Stop::Continue(more - 1)),
                Err(stop) => break Err(stop),
            }
            if let Err(stop) = self.interrupted() {
                break Err(stop);
            }
        };
        self.loops -= 1;
        self.expendable = expendable;
        ended
    }

    fn run_case(&mut self, word: &Word, arms: &[Arm]) -> Run {
        let text = self.expand_text(word)?;
        let mut falls = false;
        let mut status = 0;
        for arm in arms {
            if !falls {
                let mut fits = false;
                for one in &arm.patterns {
                    let one = self.expand_pattern(one)?;
                    fits |= pattern::matches(&one, &text);
                }
                if !fits {
                    continue;
                }
            }
            self.expendable &= !arm.falls_through;
            status = match arm.body.0.is_empty() {
                true => 0,
                false => self.run_list(&arm.body)?,
            };
            falls = arm.falls_through;
            if !falls {
                break;
            }
        }
        Ok(status)
    }

    /// Calls a function.
    pub(crate) fn call(&mut self, body: &Rc<Command>, words: &[String]) -> Run {
        if self.calls >= MOST_CALLS {
            return Err(self.fail(format!("{}: functions call each other too deeply", words[0]), 2));
        }
        let expendable = std::mem::replace(&mut self.expendable, false);
        let before = std::mem::replace(&mut self.positional, words[1..].to_vec());
        let loops = std::mem::replace(&mut self.loops, 0);
        self.variables.enter();
        self.calls += 1;
        let ran = self.run_command(body);
        self.calls -= 1;
        self.variables.leave();
        self.loops = loops;
        self.positional = before;
        self.expendable = expendable;
        match ran {
            Err(Stop::Return(code)) => Ok(code),
            Err(Stop::Break(_) | Stop::Continue(_)) => Ok(0),
            other => other,
        }
    }
}
