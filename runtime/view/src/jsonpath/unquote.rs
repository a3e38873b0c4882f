//! The text that quotes stand round.
//!
//! Rule: Go's `strconv.Unquote`, for single quotes round several characters too.

/// The text between the quotes, or none where an escape in it is none of Go's.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let quote = quoted.chars().next()?;
    let inner = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        match characters.next()? {
            'a' => bytes.push(0x07),
            'b' => bytes.push(0x08),
            'f' => bytes.push(0x0c),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(0x0b),
            '\\' => bytes.push(b'\\'),
            escaped if escaped == quote => bytes.push(u8::try_from(quote).ok()?),
            'x' => bytes.push(u8::try_from(number(&mut characters, "", 2, 16)?).ok()?),
            'u' => push(&mut bytes, number(&mut characters, "", 4, 16)?)?,
            'U' => push(&mut bytes, number(&mut characters, "", 8, 16)?)?,
            digit @ '0'..='7' => {
                let first = digit.to_string();
                bytes.push(u8::try_from(number(&mut characters, &first, 2, 8)?).ok()?);
            }
            _ => return None,
        }
    }
    // Bytes of `\x` that make no character are shown as such.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn push(bytes: &mut Vec<u8>, code: u32) -> Option<()> {
    let mut buffer = [0; 4];
    bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
    Some(())
}

fn number(
    characters: &mut std::str::Chars<'_>,
    first: &str,
    more: usize,
    base: u32,
) -> Option<u32> {
    let digits: String = first.chars().chain(characters.by_ref().take(more)).collect();
    let is_good = digits.chars().count() == first.len() + more && !digits.starts_with('+');
    is_good.then(|| u32::from_str_radix(&digits, base).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        let table = [
            (r#""a\tb\n""#, Some("a\tb\n")),
            (r#"'a"b'"#, Some("a\"b")),
            (r"'it\'s'", Some("it's")),
            (r#""\x41\u00e9\U0001F600\101""#, Some("Aé😀A")),
            (r#""""#, Some("")),
            (r#""\q""#, None),
            (r#""\'""#, None),
            (r#""\x4""#, None),
            (r#""\x+4""#, None),
            (r#""\ud800""#, None),
            (r#""\777""#, None),
        ];
        for (quoted, text) in table {
            assert_eq!(unquote(quoted).as_deref(), text, "{quoted}");
        }
    }
}
