//! JSON as Go writes it: keys in order, four blanks to the level, `<`, `>` and `&` escaped.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use serde_json::{Serializer, Value};

use crate::go::{Exponent, number_text};

/// The value on as many lines as it takes; no line break at its end.
pub(crate) fn pretty(value: &Value) -> String {
    write(value, PrettyFormatter::with_indent(b"    "))
}

/// The value on one line.
pub(crate) fn compact(value: &Value) -> String {
    write(value, CompactFormatter)
}

fn write(value: &Value, inner: impl Formatter) -> String {
    let mut bytes = Vec::new();
    let mut value = value.clone();
    // They are in order already, unless somebody has serde_json keep another one.
    value.sort_all_objects();
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, GoFormatter(inner)))
        .expect("a value has text as its keys, and memory takes every byte");
    String::from_utf8(bytes).expect("JSON is made of text")
}

/// Another formatter, with the characters that Go escapes and its numbers.
struct GoFormatter<Inner>(Inner);

impl<Inner: Formatter> Formatter for GoFormatter<Inner> {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let text = serde_json::Number::from_f64(value)
            .map_or_else(|| "null".to_owned(), |number| number_text(&number, Exponent::Json));
        writer.write_all(text.as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at(at);
            let special_one = special.chars().next().unwrap_or_default();
            write!(writer, "{plain}\\u{:04x}", u32::from(special_one))?;
            rest = &special[special_one.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_and_numbers_are_those_of_go() {
        let value =
            json!({ "b": "<a> & \u{1b} \"é\" \u{2028}", "a": [1.0, 1e21, 2], "e": {}, "l": [] });
        insta::assert_snapshot!(compact(&value), @r#"{"a":[1,1e+21,2],"b":"\u003ca\u003e \u0026 \u001b \"é\" \u2028","e":{},"l":[]}"#);
        insta::assert_snapshot!(pretty(&json!({ "a": [{ "b": 1 }] })), @r#"
        {
            "a": [
                {
                    "b": 1
                }
            ]
        }
        "#);
    }
}
