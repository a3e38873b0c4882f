//! `test` and `expr`.

use std::fs;
use std::io::Write as _;

use super::{Call, Failure, Outcome};
use crate::io::Streams;
use crate::path::absolute;
use crate::shell::pattern;

/// Deeper than anybody writes.
const MOST_DEEP: u32 = 100;

/// `test`, `[`
pub(super) fn run(call: &mut Call<'_>) -> Outcome {
    Ok(test(call.words, call.io))
}

/// Whether the expression in `words` holds: 0, 1, or 2 when it is none.
pub(crate) fn test(words: &[String], io: &mut Streams) -> i32 {
    let name = crate::base_name(&words[0]);
    let mut rest: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let closing = match name {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    if let Some(closing) = closing
        && rest.pop() != Some(closing)
    {
        io.complain(name, format!("missing {closing}"));
        return 2;
    }
    let patterns = name == "[[";
    let mut reader = Reader { words: &rest, at: 0, deep: 0, patterns, io };
    let held = if rest.is_empty() { Ok(false) } else { reader.or() };
    let left = reader.words.get(reader.at).copied();
    match (held, left) {
        (Ok(held), None) => i32::from(!held),
        (Ok(_), Some(word)) => {
            io.complain(name, format!("unexpected {word:?}"));
            2
        }
        (Err(problem), _) => {
            io.complain(name, problem);
            2
        }
    }
}

struct Reader<'words> {
    words: &'words [&'words str],
    at: usize,
    deep: u32,
    patterns: bool,
    io: &'words Streams,
}

type Held = Result<bool, String>;

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.at + ahead).copied()
    }

    fn accept(&mut self, words: &[&str]) -> bool {
        let found = self.peek(0).is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Held {
        let mut held = self.and()?;
        while self.accept(&["-o", "||"]) {
            held |= self.and()?;
        }
        Ok(held)
    }

    fn and(&mut self) -> Held {
        let mut held = self.not()?;
        while self.accept(&["-a", "&&"]) {
            held &= self.not()?;
        }
        Ok(held)
    }

    fn not(&mut self) -> Held {
        self.deep += 1;
        if self.deep > MOST_DEEP {
            return Err("nested too deeply".to_owned());
        }
        // `! = x` compares, and `!` alone is a text.
        let compares = self.peek(1).is_some_and(is_binary) && self.peek(2).is_some();
        let held = if !compares && self.peek(1).is_some() && self.accept(&["!"]) {
            !self.not()?
        } else {
            self.primary()?
        };
        self.deep -= 1;
        Ok(held)
    }

    fn primary(&mut self) -> Held {
        let Some(first) = self.peek(0).map(str::to_owned) else {
            return Err("an argument is missing".to_owned());
        };
        if let (Some(operator), Some(right)) = (self.peek(1), self.peek(2))
            && is_binary(operator)
        {
            let (operator, right) = (operator.to_owned(), right.to_owned());
            self.at += 3;
            return self.binary(&first, &operator, &right);
        }
        if first == "(" && self.peek(1).is_some() {
            self.at += 1;
            let held = self.or()?;
            return if self.accept(&[")"]) { Ok(held) } else { Err("missing )".to_owned()) };
        }
        if let Some(operand) = self.peek(1).map(str::to_owned)
            && let Some(held) = self.unary(&first, &operand)
        {
            self.at += 2;
            return held;
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn unary(&self, operator: &str, operand: &str) -> Option<Held> {
        let metadata = || fs::metadata(absolute(operand));
        Some(Ok(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" | "-r" | "-x" | "-a" | "-O" | "-G" => operand == "/dev/null" || metadata().is_ok(),
            "-w" => {
                operand == "/dev/null"
                    || metadata().is_ok_and(|metadata| !metadata.permissions().readonly())
            }
            "-f" => metadata().is_ok_and(|metadata| metadata.is_file()),
            "-d" => metadata().is_ok_and(|metadata| metadata.is_dir()),
            "-s" => metadata().is_ok_and(|metadata| metadata.len() > 0),
            "-h" | "-L" => absolute(operand).is_symlink(),
            "-b" | "-c" | "-p" | "-S" | "-u" | "-g" | "-k" => false,
            "-t" => match operand {
                "0" => self.io.input.fd.is_terminal(),
                "1" => self.io.out.fd.is_terminal(),
                "2" => self.io.err.fd.is_terminal(),
                _ => false,
            },
            _ => return None,
        }))
    }

    fn binary(&self, left: &str, operator: &str, right: &str) -> Held {
        let modified =
            |path: &str| fs::metadata(absolute(path)).and_then(|metadata| metadata.modified()).ok();
        let number =
            |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text}: is not a number"));
        Ok(match operator {
            "=" | "==" if self.patterns => pattern::matches(right, left),
            "!=" if self.patterns => !pattern::matches(right, left),
            "=~" => {
                regex_lite::Regex::new(right).map_err(|error| error.to_string())?.is_match(left)
            }
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            "-nt" => modified(left) > modified(right),
            "-ot" => modified(left) < modified(right),
            _ => {
                crate::path::real(&absolute(left)).ok() == crate::path::real(&absolute(right)).ok()
            }
        })
    }
}

fn is_binary(word: &str) -> bool {
    let all = [
        "=", "==", "!=", "<", ">", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot",
        "-ef",
    ];
    all.contains(&word)
}

/// `expr`
pub(super) fn expr(call: &mut Call<'_>) -> Outcome {
    let words: Vec<&str> = call.words[1..].iter().map(String::as_str).collect();
    let mut at = 0;
    let value = or(&words, &mut at, 0).map_err(Failure::Usage)?;
    if at < words.len() {
        return Err(Failure::Usage("syntax error".to_owned()));
    }
    writeln!(call.io.out, "{value}")?;
    Ok(i32::from(value.is_empty() || value == "0"))
}

type Value = Result<String, String>;

fn or(words: &[&str], at: &mut usize, deep: u32) -> Value {
    let mut left = and(words, at, deep)?;
    while words.get(*at) == Some(&"|") {
        *at += 1;
        let right = and(words, at, deep)?;
        if left.is_empty() || left == "0" {
            left = right;
        }
    }
    Ok(left)
}

fn and(words: &[&str], at: &mut usize, deep: u32) -> Value {
    let mut left = level(words, at, deep, 0)?;
    while words.get(*at) == Some(&"&") {
        *at += 1;
        let right = level(words, at, deep, 0)?;
        let is_zero = |value: &str| value.is_empty() || value == "0";
        if is_zero(&left) || is_zero(&right) {
            left = "0".to_owned();
        }
    }
    Ok(left)
}

const LEVELS: [&[&str]; 4] =
    [&["=", "!=", "<", "<=", ">", ">=", "=="], &["+", "-"], &["*", "/", "%"], &[":"]];

fn level(words: &[&str], at: &mut usize, deep: u32, number: usize) -> Value {
    let Some(operators) = LEVELS.get(number) else { return operand(words, at, deep) };
    let mut left = level(words, at, deep, number + 1)?;
    while let Some(operator) = words.get(*at).filter(|word| operators.contains(word)) {
        *at += 1;
        let right = level(words, at, deep, number + 1)?;
        left = apply(&left, operator, &right)?;
    }
    Ok(left)
}

fn operand(words: &[&str], at: &mut usize, deep: u32) -> Value {
    let Some(word) = words.get(*at) else { return Err("syntax error".to_owned()) };
    *at += 1;
    match *word {
        "(" if deep < MOST_DEEP => {
            let value = or(words, at, deep + 1)?;
            match words.get(*at) {
                Some(&")") => {
                    *at += 1;
                    Ok(value)
                }
                _ => Err("missing )".to_owned()),
            }
        }
        "length" if *at < words.len() => {
            *at += 1;
            Ok(words[*at - 1].chars().count().to_string())
        }
        word => Ok(word.to_owned()),
    }
}

fn apply(left: &str, operator: &str, right: &str) -> Value {
    if operator == ":" {
        let fit = super::regex::basic(&format!("^{right}"))?;
        let found = fit.captures(left);
        return Ok(match found {
            Some(found) if found.len() > 1 => {
                found.get(1).map_or("", |one| one.as_str()).to_owned()
            }
            Some(found) => found[0].chars().count().to_string(),
            None if fit.captures_len() > 1 => String::new(),
            None => "0".to_owned(),
        });
    }
    let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
    let order = numbers.map_or_else(|| left.cmp(right), |(left, right)| left.cmp(&right));
    let truth = match operator {
        "=" | "==" => Some(order.is_eq()),
        "!=" => Some(order.is_ne()),
        "<" => Some(order.is_lt()),
        "<=" => Some(order.is_le()),
        ">" => Some(order.is_gt()),
        ">=" => Some(order.is_ge()),
        _ => None,
    };
    if let Some(truth) = truth {
        return Ok(i64::from(truth).to_string());
    }
    let (left, right) = numbers.ok_or("a number is needed")?;
    let value = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    value.map(|value| value.to_string()).ok_or_else(|| "division by zero, or too large".to_owned())
}
