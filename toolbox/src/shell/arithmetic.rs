//! Numbers: `$((…))` by the rules of C, on 64 bits. Pure, save for the variables.

/// What an expression needs of its shell.
pub(crate) trait Names {
    fn get(&self, name: &str) -> Option<String>;
    fn set(&mut self, name: &str, value: i64);
}

/// Deeper than anybody writes.
const MOST_DEEP: u32 = 60;

/// The value of `text`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn evaluate(text: &str, names: &mut dyn Names) -> Result<i64, String> {
    let mut reader = Reader { text: text.chars().collect(), at: 0, names, deep: 0, live: true };
    reader.blanks();
    if reader.at == reader.text.len() {
        return Ok(0);
    }
    let value = reader.comma()?;
    match reader.at == reader.text.len() {
        true => Ok(value),
        false => Err(reader.unexpected()),
    }
}

struct Reader<'names> {
    text: Vec<char>,
    at: usize,
    names: &'names mut dyn Names,
    deep: u32,
    /// False in what is read but does not count: `0 && (a = 1)`.
    live: bool,
}

type Value = Result<i64, String>;

/// Operators with two sides, those that bind weakest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(|character| character.is_whitespace()) {
            self.at += 1;
        }
    }

    fn looks_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.text.get(self.at + ahead) == Some(&c))
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.looks_at(text);
        if found {
            self.at += text.len();
            self.blanks();
        }
        found
    }

    fn unexpected(&self) -> String {
        let rest: String = self.text[self.at..].iter().collect();
        format!("arithmetic syntax error at {rest:?}")
    }

    fn comma(&mut self) -> Value {
        let mut value = self.assignment()?;
        while self.accept(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Value {
        let start = self.at;
        if let Some(name) = self.name() {
            for operator in ["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="] {
                if (operator == "=" && self.looks_at("==")) || !self.accept(operator) {
                    continue;
                }
                let right = self.assignment()?;
                let value = match operator.trim_end_matches('=') {
                    "" => right,
                    operator => {
                        let left = self.value_of(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                if self.live {
                    self.names.set(&name, value);
                }
                return Ok(value);
            }
        }
        self.at = start;
        self.conditional()
    }

    fn conditional(&mut self) -> Value {
        let condition = self.binary(0)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        let live = self.live;
        self.live = live && condition != 0;
        let yes = self.assignment()?;
        if !self.accept(":") {
            return Err(self.unexpected());
        }
        self.live = live && condition == 0;
        let no = self.assignment()?;
        self.live = live;
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Value {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let operator = operators.iter().find(|operator| self.is_operator(operator));
            let Some(operator) = operator else { return Ok(left) };
            self.accept(operator);
            let live = self.live;
            self.live = live
                && match *operator {
                    "&&" => left != 0,
                    "||" => left == 0,
                    _ => true,
                };
            let right = self.binary(level + 1)?;
            self.live = live;
            left = self.apply(operator, left, right)?;
        }
    }

    /// Whether it is this one and not a longer one that begins alike.
    fn is_operator(&self, operator: &str) -> bool {
        if !self.looks_at(operator) {
            return false;
        }
        let next = self.text.get(self.at + operator.len());
        match operator {
            "<" | ">" => !matches!(next, Some('=' | '<' | '>')),
            "|" | "&" => next != operator.chars().next().as_ref() && next != Some(&'='),
            "==" | "!=" | "<=" | ">=" | "||" | "&&" => true,
            _ => next != Some(&'='),
        }
    }

    fn unary(&mut self) -> Value {
        self.deep += 1;
        if self.deep > MOST_DEEP {
            return Err("arithmetic expression is nested too deeply".to_owned());
        }
        let value = self.unary_inside();
        self.deep -= 1;
        value
    }

    fn unary_inside(&mut self) -> Value {
        for (operator, step) in [("++", 1), ("--", -1)] {
            let start = self.at;
            if self.accept(operator)
                && let Some(name) = self.name()
            {
                let value = self.value_of(&name)?.wrapping_add(step);
                if self.live {
                    self.names.set(&name, value);
                }
                return Ok(value);
            }
            self.at = start;
        }
        if self.accept("+") {
            return self.unary();
        }
        if self.accept("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if !self.looks_at("!=") && self.accept("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.accept("~") {
            return Ok(!self.unary()?);
        }
        if self.accept("(") {
            let value = self.comma()?;
            return if self.accept(")") { Ok(value) } else { Err(self.unexpected()) };
        }
        if let Some(name) = self.name() {
            let value = self.value_of(&name)?;
            for (operator, step) in [("++", 1), ("--", -1)] {
                if self.accept(operator) {
                    if self.live {
                        self.names.set(&name, value.wrapping_add(step));
                    }
                    break;
                }
            }
            return Ok(value);
        }
        self.number()
    }

    fn name(&mut self) -> Option<String> {
        let first = self.text.get(self.at)?;
        if !first.is_ascii_alphabetic() && *first != '_' {
            return None;
        }
        let name: String = self.text[self.at..]
            .iter()
            .take_while(|character| character.is_ascii_alphanumeric() || **character == '_')
            .collect();
        self.at += name.len();
        self.blanks();
        Some(name)
    }

    fn number(&mut self) -> Value {
        let digits: String =
            self.text[self.at..].iter().take_while(|c| c.is_ascii_alphanumeric()).collect();
        if digits.is_empty() {
            return Err(self.unexpected());
        }
        let value = number(&digits).ok_or_else(|| self.unexpected())?;
        self.at += digits.len();
        self.blanks();
        Ok(value)
    }

    /// A variable may hold an expression.
    fn value_of(&mut self, name: &str) -> Value {
        let text = self.names.get(name).unwrap_or_default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(value) = text.strip_prefix('-').and_then(number) {
            return Ok(value.wrapping_neg());
        }
        if let Some(value) = number(text) {
            return Ok(value);
        }
        if self.deep >= MOST_DEEP {
            return Err("arithmetic expression is nested too deeply".to_owned());
        }
        let (deep, live) = (self.deep + 1, self.live);
        let mut reader =
            Reader { text: text.chars().collect(), at: 0, names: self.names, deep, live };
        let value = reader.comma()?;
        if reader.at < reader.text.len() { Err(reader.unexpected()) } else { Ok(value) }
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Value {
        if matches!(operator, "/" | "%") && right == 0 {
            return if self.live { Err("divide by zero".to_owned()) } else { Ok(0) };
        }
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }
}

/// Decimal, `0x1f` or `017`.
fn number(digits: &str) -> Option<i64> {
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hexadecimal, 16).ok();
    }
    match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8).ok(),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    impl Names for HashMap<String, String> {
        fn get(&self, name: &str) -> Option<String> {
            HashMap::get(self, name).cloned()
        }

        fn set(&mut self, name: &str, value: i64) {
            self.insert(name.to_owned(), value.to_string());
        }
    }

    #[test]
    fn expressions_have_the_values_of_c() {
        let mut names =
            HashMap::from([("a".to_owned(), "5".to_owned()), ("e".to_owned(), "a+1".to_owned())]);
        for (text, value) in [
            ("", 0),
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("-3 % 2", -1),
            ("7 / 2", 3),
            ("1 << 4 | 1", 17),
            ("0x1f + 010", 39),
            ("3 > 2 && 2 > 3 || 1", 1),
            ("a", 5),
            ("e * 2", 12),
            ("unknown", 0),
            ("a == 5 ? 10 : 20", 10),
            ("a += 2", 7),
            ("a++ + a", 15),
            ("--a", 7),
            ("0 && (a = 100), a", 7),
            ("!0 + ~0", 0),
            ("a != 7", 0),
            ("9223372036854775807 + 1", i64::MIN),
        ] {
            assert_eq!(evaluate(text, &mut names), Ok(value), "{text}");
        }
        for text in ["1 +", "(1", "1 2", "5 / 0", "1 ? 2", "08", "$"] {
            assert!(evaluate(text, &mut names).is_err(), "{text}");
        }
        assert!(evaluate(&"(".repeat(1000), &mut names).is_err());
    }
}
