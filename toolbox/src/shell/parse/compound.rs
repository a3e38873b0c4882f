//! Commands that hold others.

use std::rc::Rc;

use super::parser::{Parsed, Parser};
use crate::shell::ast::{Arm, Command, Compound, Simple, Word};

impl Parser<'_> {
    /// The compound command at this place, if there is one.
    pub(super) fn compound(&mut self) -> Parsed<Option<Compound>> {
        if self.peek() == Some('(') {
            self.bump();
            let list = self.list_until(&[")"])?;
            self.bump();
            return Ok(Some(Compound::Subshell(Rc::new(list))));
        }
        let Some(word) = self.peek_reserved() else { return Ok(None) };
        let compound = match word {
            "{" => {
                self.take("{");
                let list = self.list_until(&["}"])?;
                self.take("}");
                Compound::Group(list)
            }
            "if" => self.conditional()?,
            "for" => self.iteration()?,
            "while" | "until" => {
                self.take(word);
                let condition = self.list_until(&["do"])?;
                let body = self.do_done()?;
                Compound::Loop { until: word == "until", condition, body }
            }
            "case" => self.case()?,
            _ => return Ok(None),
        };
        Ok(Some(compound))
    }

    fn take(&mut self, word: &str) {
        let taken = self.accept(word);
        debug_assert!(taken, "{word} is there");
    }

    fn conditional(&mut self) -> Parsed<Compound> {
        self.take("if");
        let mut arms = Vec::new();
        loop {
            let condition = self.list_until(&["then"])?;
            self.take("then");
            let body = self.list_until(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            if self.accept("elif") {
                continue;
            }
            let otherwise = match self.accept("else") {
                true => Some(self.list_until(&["fi"])?),
                false => None,
            };
            self.take("fi");
            return Ok(Compound::If { arms, otherwise });
        }
    }

    fn iteration(&mut self) -> Parsed<Compound> {
        self.take("for");
        self.blanks();
        let name = self.name()?;
        self.skip_lines()?;
        let mut words = None;
        if self.looks_at("in")
            && self.peek_at(2).is_none_or(|next| next.is_whitespace() || next == ';')
        {
            self.take("in");
            let mut all = Vec::new();
            loop {
                self.blanks();
                match self.word()? {
                    Some(word) => all.push(word),
                    None => break,
                }
            }
            words = Some(all);
        }
        self.blanks();
        if self.peek() == Some(';') && !self.looks_at(";;") {
            self.bump();
        }
        let body = self.do_done()?;
        Ok(Compound::For { name, words, body })
    }

    fn do_done(&mut self) -> Parsed<crate::shell::ast::List> {
        self.expect_reserved("do")?;
        let body = self.list_until(&["done"])?;
        self.take("done");
        Ok(body)
    }

    fn case(&mut self) -> Parsed<Compound> {
        self.take("case");
        self.blanks();
        let Some(word) = self.word()? else { return Err(self.unexpected()) };
        self.skip_lines()?;
        if !self.accept("in") {
            return Err(match self.peek() {
                None => self.incomplete("\"in\""),
                Some(_) => self.unexpected(),
            });
        }
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.peek_reserved() == Some("esac") {
                self.take("esac");
                return Ok(Compound::Case { word, arms });
            }
            arms.push(self.arm()?);
        }
    }

    fn arm(&mut self) -> Parsed<Arm> {
        self.accept("(");
        let mut patterns = Vec::new();
        loop {
            self.blanks();
            match self.word()? {
                Some(pattern) => patterns.push(pattern),
                None if self.peek().is_none() => return Err(self.incomplete("\"esac\"")),
                None => return Err(self.unexpected()),
            }
            self.blanks();
            if self.accept(")") {
                break;
            }
            if !self.accept("|") {
                return Err(match self.peek() {
                    None => self.incomplete("\")\""),
                    Some(_) => self.unexpected(),
                });
            }
        }
        let body = self.list_until(&[";;", "esac"])?;
        let falls_through = self.accept(";&");
        if !falls_through {
            self.accept(";;");
        }
        Ok(Arm { patterns, body, falls_through })
    }

    /// The name that `word` gives to a function, if `()` follows or `function` came before.
    pub(super) fn function_name(&mut self, word: &Word, before: &Simple) -> Parsed<Option<String>> {
        if *before != Simple::default() {
            return Ok(None);
        }
        let Some(text) = word.as_plain().map(str::to_owned) else { return Ok(None) };
        if text == "function" {
            self.blanks();
            let name = self.name()?;
            self.blanks();
            if self.accept("(") {
                self.blanks();
                if !self.accept(")") {
                    return Err(self.unexpected());
                }
            }
            return Ok(Some(name));
        }
        let at = self.at;
        self.blanks();
        if self.accept("(") {
            self.blanks();
            if self.accept(")") {
                return Ok(Some(text));
            }
            return Err(self.unexpected());
        }
        self.at = at;
        Ok(None)
    }

    pub(super) fn function_body(&mut self) -> Parsed<Command> {
        self.skip_lines()?;
        match self.compound()? {
            Some(compound) => {
                let redirects = self.redirects()?;
                Ok(Command::Compound(compound, redirects))
            }
            None if self.peek().is_none() => Err(self.incomplete("\"{\"")),
            None => Err(self.unexpected()),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        let mut name = String::new();
        while let Some(character) =
            self.peek().filter(|c| c.is_alphanumeric() || "_-.".contains(*c))
        {
            name.push(character);
            self.at += 1;
        }
        match name.is_empty() {
            true if self.peek().is_none() => Err(self.incomplete("a name")),
            true => Err(self.unexpected()),
            false => Ok(name),
        }
    }
}
