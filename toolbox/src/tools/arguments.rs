//! Options of a command line, as POSIX has them. Pure.

use super::Failure;

/// What a command line holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The letters that were given, each with its value if it takes one.
    given: Vec<(char, Option<String>)>,
    /// All that is no option.
    pub(crate) operands: Vec<String>,
}

impl Options {
    /// Reads `words` after the first. `letters` are those that are known, each with a colon behind it if it takes a
    /// value; `long` are names that mean a letter.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is not known.
    pub(crate) fn read(
        words: &[String],
        letters: &str,
        long: &[(&str, char)],
    ) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = words.iter().skip(1);
        while let Some(word) = rest.next() {
            if word == "--" {
                options.operands.extend(rest.cloned());
                break;
            }
            if let Some(name) = word.strip_prefix("--") {
                let (name, value) = name
                    .split_once('=')
                    .map_or((name, None), |(name, value)| (name, Some(value.to_owned())));
                let Some((_, letter)) = long.iter().find(|(known, _)| *known == name) else {
                    return Err(Failure::Usage(format!("there is no option --{name}")));
                };
                let value = match takes_value(letters, *letter) {
                    Some(true) => value.or_else(|| rest.next().cloned()),
                    _ => value,
                };
                options.given.push((*letter, value));
            } else if word.len() > 1 && word.starts_with('-') {
                for (place, letter) in word[1..].char_indices() {
                    match takes_value(letters, letter) {
                        None => {
                            return Err(Failure::Usage(format!("there is no option -{letter}")));
                        }
                        Some(false) => options.given.push((letter, None)),
                        Some(true) => {
                            let tail = &word[1 + place + letter.len_utf8()..];
                            let value = match tail.is_empty() {
                                true => rest.next().cloned(),
                                false => Some(tail.to_owned()),
                            };
                            let Some(value) = value else {
                                return Err(Failure::Usage(format!(
                                    "option -{letter} needs a value"
                                )));
                            };
                            options.given.push((letter, Some(value)));
                            break;
                        }
                    }
                }
            } else {
                options.operands.push(word.clone());
            }
        }
        Ok(options)
    }

    pub(crate) fn has(&self, letter: char) -> bool {
        self.given.iter().any(|(given, _)| *given == letter)
    }

    /// The last value of a letter.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.values(letter).last()
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.given
            .iter()
            .filter(move |(given, _)| *given == letter)
            .filter_map(|(_, value)| value.as_deref())
    }

    /// The value of a letter as a number.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn number(&self, letter: char) -> Result<Option<u64>, Failure> {
        self.value(letter).map(number).transpose()
    }

    /// The last of these letters that was given.
    pub(crate) fn last_of(&self, letters: &str) -> Option<char> {
        self.given.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }
}

/// A count with a suffix: `10`, `4k`, `1M`.
pub(crate) fn number(text: &str) -> Result<u64, Failure> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" | "c" => 1,
        "b" => 512,
        "k" | "K" | "KiB" => 1 << 10,
        "kB" | "KB" => 1000,
        "m" | "M" | "MiB" => 1 << 20,
        "MB" => 1_000_000,
        "g" | "G" | "GiB" => 1 << 30,
        _ => 0,
    };
    let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(factor));
    value.filter(|_| factor > 0).ok_or_else(|| Failure::Usage(format!("{text:?} is not a number")))
}

fn takes_value(letters: &str, letter: char) -> Option<bool> {
    let at = letters.find(letter).filter(|_| letter != ':')?;
    Some(letters[at + letter.len_utf8()..].starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::read(&words, "abn:", &[("lines", 'n'), ("all", 'a')])
    }

    #[test]
    fn options_come_before_and_between_operands() {
        let options = read(&["tool", "-ab", "x", "-n3", "y", "--", "-z"]).unwrap();
        assert!(options.has('a') && options.has('b') && !options.has('z'));
        assert_eq!(options.number('n').unwrap(), Some(3));
        assert_eq!(options.operands, ["x", "y", "-z"]);
        assert_eq!(read(&["tool", "--lines=4k"]).unwrap().number('n').unwrap(), Some(4096));
        assert_eq!(read(&["tool", "--lines", "4"]).unwrap().number('n').unwrap(), Some(4));
        assert_eq!(read(&["tool", "-n", "1", "-n", "2", "-"]).unwrap().values('n').count(), 2);
        assert_eq!(read(&["tool", "-ba"]).unwrap().last_of("ab"), Some('a'));
        for wrong in [&["tool", "-x"][..], &["tool", "-n"], &["tool", "--no"]] {
            assert!(matches!(read(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
        assert!(read(&["tool", "-nx"]).unwrap().number('n').is_err());
    }
}
