//! From the text of one pair of braces to steps.

use super::error::ParseError;
use super::node::{End, Filter, Path, Slice, Step};
use super::scan::Scanner;
use super::unquote::unquote;

/// Parses up to the closing brace, and goes over it.
pub(super) fn action(scanner: &mut Scanner<'_>) -> Result<Path, ParseError> {
    let mut path = Path::new();
    loop {
        if scanner.skip("}") {
            scanner.piece();
            return Ok(path);
        }
        step(scanner, &mut path)?;
    }
}

/// Parses a text that stands in no braces of its own.
fn inner(text: &str) -> Result<Path, ParseError> {
    let braced = format!("{text}}}");
    action(&mut Scanner::new(&braced))
}

fn step(scanner: &mut Scanner<'_>, path: &mut Path) -> Result<(), ParseError> {
    if scanner.skip("[?(") {
        path.push(Step::Filter(filter(scanner)?));
        return Ok(());
    }
    if scanner.skip("..") {
        return descent(scanner, path);
    }
    match scanner.next() {
        None | Some('\n' | '\r') => return Err(ParseError::UnclosedAction),
        // The value at hand is what every path begins with.
        Some(' ' | '@' | '$') => drop(scanner.piece()),
        Some('[') => array(scanner, path)?,
        Some(quote @ ('"' | '\'')) => path.push(Step::Text(quoted(scanner, quote)?)),
        Some('.') => path.push(field(scanner)),
        Some(first) if matches!(first, '+' | '-') || first.is_numeric() => {
            path.push(number(scanner)?);
        }
        Some(first) if is_word(first) => {
            scanner.skip_while(|it| !ends_word(it));
            path.push(match scanner.piece() {
                "true" => Step::Bool(true),
                "false" => Step::Bool(false),
                word => Step::Identifier(word.to_owned()),
            });
        }
        Some(other) => return Err(ParseError::UnrecognizedCharacter(other)),
    }
    Ok(())
}

fn descent(scanner: &mut Scanner<'_>, path: &mut Path) -> Result<(), ParseError> {
    if path.last() == Some(&Step::Descent) {
        return Err(ParseError::RepeatedDescent);
    }
    scanner.piece();
    path.push(Step::Descent);
    if scanner.peek().is_some_and(is_word) {
        path.push(field(scanner));
    }
    Ok(())
}

/// A key, with its dots behind backslashes.
fn field(scanner: &mut Scanner<'_>) -> Step {
    scanner.piece();
    loop {
        scanner.skip_while(|it| it != '\\' && !ends_word(it));
        if !scanner.skip("\\") {
            break;
        }
        scanner.next();
    }
    match scanner.piece() {
        "*" => Step::Wildcard,
        key => Step::Field(key.replace('\\', "")),
    }
}

fn number(scanner: &mut Scanner<'_>) -> Result<Step, ParseError> {
    scanner.skip_while(|it| it == '.' || it.is_numeric());
    let text = scanner.piece();
    if let Ok(integer) = text.parse() {
        return Ok(Step::Integer(integer));
    }
    match text.parse() {
        Ok(float) => Ok(Step::Float(float)),
        Err(_) => Err(ParseError::Number(text.to_owned())),
    }
}

fn quoted(scanner: &mut Scanner<'_>, quote: char) -> Result<String, ParseError> {
    loop {
        match scanner.next() {
            None | Some('\n') => return Err(ParseError::UnterminatedQuote),
            Some(it) if it == quote && scanner.before_last() != Some('\\') => break,
            Some(_) => {}
        }
    }
    let quoted = scanner.piece();
    unquote(quoted).ok_or_else(|| ParseError::Unquote(quoted.to_owned()))
}

fn array(scanner: &mut Scanner<'_>, path: &mut Path) -> Result<(), ParseError> {
    scanner.skip_while(|it| it != ']' && it != '\n');
    if !scanner.skip("]") {
        return Err(ParseError::UnterminatedArray);
    }
    let piece = scanner.piece();
    let text = piece.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(piece);
    let text = if text == "*" { ":" } else { text };
    if text.contains(',') {
        let paths = text.split(',').map(|part| inner(&format!("[{}]", part.trim_matches(' '))));
        path.push(Step::Union(paths.collect::<Result<_, _>>()?));
        return Ok(());
    }
    let key = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    if let Some(key) = key.filter(|key| !key.contains('\'')) {
        path.append(&mut inner(&format!(".{key}"))?);
        return Ok(());
    }
    path.push(Step::Slice(slice(text)?));
    Ok(())
}

fn slice(text: &str) -> Result<Slice, ParseError> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| {
        part.strip_prefix('-').unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(ParseError::ArrayIndex(text.to_owned()));
    }
    let number = |part: Option<&&str>| match part {
        None | Some(&"") => Ok(None),
        Some(part) => {
            part.parse().map(Some).map_err(|_| ParseError::ArrayNumber((*part).to_owned()))
        }
    };
    let end = match (parts.get(1), number(parts.get(1))?) {
        (None, _) => End::AfterStart,
        (Some(_), None) => End::Open,
        (Some(_), Some(end)) => End::Before(end),
    };
    Ok(Slice { start: number(parts.first())?, end, step: number(parts.get(2))? })
}

fn filter(scanner: &mut Scanner<'_>) -> Result<Filter, ParseError> {
    scanner.piece();
    let (mut quote, mut is_closed) = (None, false);
    loop {
        match (scanner.next(), quote) {
            (None | Some('\n'), _) => return Err(ParseError::UnterminatedFilter),
            (Some(first @ ('"' | '\'')), None) => quote = Some(first),
            (Some(it), Some(quote)) if it == quote && scanner.before_last() != Some('\\') => {
                is_closed = true;
            }
            // The one in a text does not count.
            (Some(')'), quote) if quote.is_some() == is_closed => break,
            (Some(_), _) => {}
        }
    }
    let with_end = scanner.piece();
    if scanner.next() != Some(']') {
        return Err(ParseError::UnclosedFilter);
    }
    scanner.piece();
    let text = with_end.strip_suffix(')').unwrap_or(with_end);
    let is_operator = |it: char| matches!(it, '!' | '<' | '>' | '=');
    let compares = text.find(is_operator).filter(|at| *at > 0).and_then(|at| {
        let (left, rest) = text.split_at(at);
        let behind = rest.find(|it| !is_operator(it))?;
        let (operator, right) = rest.split_at(behind);
        Some((left, operator, right))
    });
    Ok(match compares {
        None => Filter::Exists(inner(text)?),
        Some((left, operator, right)) => {
            let operator = operator.to_owned();
            Filter::Compares { left: inner(left)?, operator, right: inner(right)? }
        }
    })
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn ends_word(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}
