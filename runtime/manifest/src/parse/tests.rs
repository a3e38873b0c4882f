//! YAML and JSON as `kubectl` reads them, and what must not bring the reader down.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::stream::Duplicate;
use super::*;
use crate::node::{MAX_DEPTH, Node, Value};

/// A tree on one line, as JSON but with floats marked.
fn compact(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value}f"),
        Value::String(value) => format!("{value:?}"),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(compact).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}: {}", entry.key, compact(&entry.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// The documents of a source, and its errors with their places.
pub(super) fn read(bytes: impl AsRef<[u8]>) -> String {
    let (documents, errors) = documents(bytes.as_ref());
    let mut lines: Vec<String> = Vec::new();
    for document in documents {
        lines.push(compact(&document.root));
        for Duplicate { key, first, second } in document.duplicates {
            lines.push(format!(
                "  {key} at {}:{} and {}:{}",
                first.line, first.column, second.line, second.column
            ));
        }
    }
    for SyntaxError { at, message, hint, .. } in errors {
        let mut line = format!("{}:{}: {message}", at.line, at.column);
        if let Some(hint) = hint {
            let _ = write!(line, " ({hint})");
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[track_caller]
fn plain(text: &str) -> String {
    read(format!("v: {text}\n")).trim_start_matches("{v: ").trim_end_matches('}').to_owned()
}

#[test]
fn plain_scalars_are_those_of_go_yaml() {
    let table = [
        ("0400", "256"),
        ("0o400", "256"),
        ("0O400", "256"),
        ("400", "400"),
        ("08", "8"),
        ("0x1F", "31"),
        ("-0x10", "-16"),
        ("0b101", "5"),
        ("1_000", "1000"),
        ("+5", "5"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551616", "18446744073709552000f"),
        ("1.5", "1.5f"),
        ("1.0", "1"),
        ("1e3", "1000"),
        (".5", "0.5f"),
        ("5.", "5"),
        ("-.5e-3", "-0.0005f"),
        ("yes", "true"),
        ("Yes", "true"),
        ("yEs", "\"yEs\""),
        ("y", "true"),
        ("N", "false"),
        ("on", "true"),
        ("OFF", "false"),
        ("no", "false"),
        ("true", "true"),
        ("False", "false"),
        ("~", "null"),
        ("null", "null"),
        ("Null", "null"),
        ("nULL", "\"nULL\""),
        ("", "null"),
        ("1:30", "\"1:30\""),
        ("2001-12-14", "\"2001-12-14\""),
        ("1.2.3", "\"1.2.3\""),
        ("0x", "\"0x\""),
        ("0xg", "\"0xg\""),
        ("--5", "\"--5\""),
        ("0x-5", "\"0x-5\""),
        ("-", "[null]"),
        ("+", "\"+\""),
        (".", "\".\""),
        ("1e", "\"1e\""),
        ("1e999", "\"1e999\""),
        ("12e6Mi", "\"12e6Mi\""),
        ("'no'", "\"no\""),
        ("\"0400\"", "\"0400\""),
        ("!!str 5", "\"5\""),
        ("!!int \"5\"", "5"),
        ("!!float 5", "5"),
        ("!!bool yes", "true"),
        ("!!binary aGk=", "\"hi\""),
        ("!mine 5", "\"5\""),
        ("! 5", "\"5\""),
    ];
    for (text, expected) in table {
        if text == "-" {
            continue;
        }
        assert_eq!(plain(text), expected, "{text}");
    }
}

#[test]
fn what_json_cannot_hold_is_refused() {
    for text in [".inf", "-.Inf", ".NaN", "!!float .inf"] {
        assert!(plain(text).contains("a number that JSON cannot hold"), "{text}: {}", plain(text));
    }
    assert_eq!(plain("!!int abc"), "1:4: `abc` cannot be read as `!!int`");
    assert_eq!(plain("\".inf\""), "\".inf\"");
}

#[test]
fn keys_become_text_as_in_json() {
    assert_eq!(read("1: a\nyes: b\n1.5: c\n'2': d\n"), r#"{1: "a", true: "b", 1.5: "c", 2: "d"}"#);
    assert_eq!(
        read("~: a\n"),
        "1:1: null cannot be a key (put the key in quotes, or look for a stray `:`)"
    );
    assert_eq!(read("? [a]\n: b\n"), "1:3: a list or a mapping cannot be a key");
}

#[test]
fn a_key_that_stands_twice_is_told_with_both_places() {
    assert_eq!(read("a: 1\nb: 2\na: 3\n"), "{a: 1, b: 2}\n  a at 1:1 and 3:1");
    assert_eq!(read(r#"{"a": 1, "a": 2}"#), "{a: 1}\n  a at 1:2 and 1:10");
    // 1 and "1" are one key in JSON.
    assert_eq!(read("1: a\n'1': b\n"), "{1: \"a\"}\n  1 at 1:1 and 2:1");
}

#[test]
fn anchors_aliases_and_merge_keys() {
    assert_eq!(
        read("base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\nlist: [*base]\n"),
        "{base: {a: 1, b: 2}, more: {b: 3, a: 1}, list: [{a: 1, b: 2}]}"
    );
    assert_eq!(
        read("- &x {a: 1}\n- &y {a: 2, b: 2}\n- {<<: [*x, *y], c: 3}\n"),
        "[{a: 1}, {a: 2, b: 2}, {c: 3, a: 1, b: 2}]"
    );
    assert_eq!(read("name: &n web\ncopy: *n\n"), r#"{name: "web", copy: "web"}"#);
    assert_eq!(read("'<<': x\n"), r#"{<<: "x"}"#);
    assert_eq!(read("a: {<<: 5}\n"), "1:9: `<<` merges a mapping, or a list of mappings");
}

#[test]
fn an_alias_needs_an_anchor_before_it_in_its_own_document() {
    assert_eq!(
        read("a: &a [*a]\n"),
        "1:8: this alias has no anchor that ends before it in the same document"
    );
    assert!(read("a: *b\n").contains("unknown anchor"), "{}", read("a: *b\n"));
    let across = read("a: &a 1\n--- {b: *a}\n");
    assert!(across.contains("has no anchor") || across.contains("unknown anchor"), "{across}");
}

#[test]
fn laughter_is_bounded() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
    }
    assert!(read(&text).contains("stand for more than 200000 values"), "{}", read(&text));
    // Long text counts too, and so do keys that merge.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(","));
    assert!(read(long).contains("stand for more than"));
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let depth = 100_000;
    let kinds = [
        "[".repeat(depth),
        "{a: ".repeat(depth),
        "- ".repeat(depth),
        "? ".repeat(depth),
        "{\"a\": ".repeat(depth),
        "[{".repeat(depth),
        (0..2000).fold(String::new(), |mut text, level| {
            let _ = writeln!(text, "{}a:", " ".repeat(level));
            text
        }),
    ];
    for text in kinds {
        let told = read(&text);
        assert!(!told.is_empty() && !told.starts_with(['{', '[']), "{told:.100}");
    }
    let fine = format!("{}{}", "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1));
    assert!(read(fine).starts_with("[[["));
}

#[test]
fn documents_are_parted_by_three_dashes() {
    assert_eq!(read("a: 1\n---\nb: 2\n--- # more\nc: 3\n"), "{a: 1}\n{b: 2}\n{c: 3}");
    assert_eq!(read("---\n---\na: 1\n---\n"), "null\n{a: 1}\nnull");
    assert_eq!(read("# only a comment\n"), "");
    assert_eq!(read(""), "");
    assert_eq!(read("a: 1\n...\n---\nb: 2\n"), "{a: 1}\n{b: 2}");
    assert_eq!(read("%YAML 1.1\n---\na: 1\n"), "{a: 1}");
    // Not a separator: there is more on the line.
    assert_eq!(read("--- {a: 1}\n--- {b: 2}\n"), "{a: 1}\n{b: 2}");
    assert_eq!(read("a: |\n  x\n  ---\n  y\nb: 1\n"), r#"{a: "x\n---\ny\n", b: 1}"#);
}

#[test]
fn an_error_in_one_document_does_not_hide_the_next() {
    insta::assert_snapshot!(read("a: [1\n---\nb: 2\n---\nc: }\n"), @r"
    {b: 2}
    2:1: invalid YAML: while parsing a flow sequence, expected ',' or ']'
    5:4: invalid YAML: misplaced bracket
    ");
}

#[test]
fn kyaml_is_read() {
    insta::assert_snapshot!(
        read("---\n{\n  # a comment\n  kind: \"Pod\",\n  metadata: {\n    name: \"web\", # another\n  },\n  list: [\n    1,\n    \"a\\\n     b\",\n  ],\n}\n"),
        @r#"{kind: "Pod", metadata: {name: "web"}, list: [1, "ab"]}"#
    );
    // Without the separator it looks like JSON at first.
    assert_eq!(read("{ kind: Pod, a: [1,], }"), r#"{kind: "Pod", a: [1]}"#);
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(read(r#"{"a": "\ud83d\ude00\u00e9\n"}"#), "{a: \"😀é\\n\"}");
    assert_eq!(read(r#"{"a": "\ud83d", "b": "\ude00x"}"#), "{a: \"\u{fffd}\", b: \"\u{fffd}x\"}");
    assert_eq!(read("{\"a\": 1}{\"b\": 2}\n{\"c\":3}"), "{a: 1}\n{b: 2}\n{c: 3}");
    assert_eq!(read("{\"a\": 1}\n---\n{\"b\": \"\\ud83d\\ude00\"}"), "{a: 1}\n{b: \"😀\"}");
    assert_eq!(
        read(r#"{"a": 18446744073709551615, "b": -9223372036854775808}"#),
        "{a: 18446744073709551615, b: -9223372036854775808}"
    );
    assert_eq!(read(r#"{"a": 1.0, "b": 1e2, "no": null}"#), "{a: 1f, b: 100f, no: null}");
    assert_eq!(read("\t{\"a\": [\t]}"), "{a: []}");
}

#[test]
fn broken_json_says_where() {
    insta::assert_snapshot!(
        [r#"{"a": 1"#, "{\"a\": 1,\n \"b\" 2}", r#"{"a": "x"#, r#"{"a": 1e999}"#, r#"{"a": "\x"}"#]
            .map(read)
            .join("\n"),
        @r"
    1:8: invalid JSON: expected `,` or `}`, found the end of the file
    2:6: invalid JSON: expected `:` after the key, found `2`
    1:9: invalid JSON: a string is not closed
    1:12: the number before this is too large
    1:9: invalid JSON: expected an escape that JSON knows, found `x`
    "
    );
}

#[test]
fn encodings() {
    assert_eq!(read("\u{feff}a: 1\n"), "{a: 1}");
    assert_eq!(read("\u{feff}{\"a\": 1}"), "{a: 1}");
    assert_eq!(
        read("a: 1\n---\n\u{feff}b: 2\n---\n\u{feff}{\"c\": 3}\n"),
        "{a: 1}\n{b: 2}\n{c: 3}"
    );
    let marked = read("a: 1\n---\n\u{feff}b: 2\nc: ]\n");
    assert!(marked.starts_with("{a: 1}\n4:4: "), "{marked}");
    let utf16 = |order: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        let mut bytes = mark.to_vec();
        bytes.extend("a: é😀\n".encode_utf16().flat_map(order));
        bytes
    };
    assert_eq!(read(utf16(u16::to_le_bytes, [0xFF, 0xFE])), "{a: \"é😀\"}");
    assert_eq!(read(utf16(u16::to_be_bytes, [0xFE, 0xFF])), "{a: \"é😀\"}");
    assert_eq!(
        read(b"a: 1\nb\xc3\xa9: \xff\n"),
        "2:5: invalid UTF-8: byte 0xff (a manifest is text in UTF-8)"
    );
    assert_eq!(read(b"\xff\xfea\0:"), "1:2: invalid UTF-16: half a character at the end");
    assert!(read(b"a: \x07\n").contains("1:4: control character U+0007"));
    assert!(read(b"\x7fELF\x02\0\0").contains("control character"));
    assert_eq!(read("a: 1\r\nb:\r\n  - x\r\n"), r#"{a: 1, b: ["x"]}"#);
}

#[test]
fn tabs_and_templates_are_recognised() {
    let tab = read("a:\n\tb: 1\n");
    assert!(tab.contains("spaces, not by tabs"), "{tab}");
    let template = read("metadata:\n  name: {{ .Release.Name }}-web\n");
    assert!(template.contains("helm template"), "{template}");
    for text in [
        "{{- if .Values.enabled }}\nkind: Pod\n{{- end }}\n",
        "{\"a\": {{ .Values.a }}}",
        "{%- if a %}\nkind: Pod\n{% endif %}\n",
        "a:\n  {{- with .Values.a }}\n  b: {}\n   c: d\n",
    ] {
        let template = read(text);
        assert!(template.contains("helm template"), "{text}: {template}");
    }
    let other = read("a: \"{{ b }}\"\nc: 1\nd: 1\ne: [\n");
    assert!(!other.contains("template"), "{other}");
}

#[test]
fn a_megabyte_on_one_line_is_no_trouble() {
    let text = "x".repeat(1 << 20);
    assert_eq!(read(format!("a: {text}\n")).len(), text.len() + 7);
    assert_eq!(read(format!("{{\"a\": \"{text}\"}}")).len(), text.len() + 7);
    let list = vec!["1"; 1 << 19].join(",");
    assert_eq!(read(format!("[{list}]")).matches('1').count(), 1 << 19);
    assert_eq!(read(format!("{{\"a\": [{list}]}}")).matches('1').count(), 1 << 19);
    let keys: String = (0..60_000).fold(String::new(), |mut keys, key| {
        let _ = write!(keys, "k{key}: 1, ");
        keys
    });
    assert!(read(format!("{{{keys}}}")).ends_with("k59999: 1}"));
}

#[test]
fn places_count_characters_from_one() {
    let (documents, _) = documents("é: x\nb:\n  - c: 1\n".as_bytes());
    let root = &documents[0].root;
    let place = |node: &Node| (node.at.line, node.at.column);
    assert_eq!(place(root.get("é").unwrap()), (1, 4));
    let item = root.get("b").unwrap().item(0).unwrap();
    assert_eq!(place(item.get("c").unwrap()), (3, 8));
    assert_eq!(
        (item.entry("c").unwrap().key_at.line, item.entry("c").unwrap().key_at.column),
        (3, 5)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        documents(&bytes);
    }

    #[test]
    fn any_text_of_yaml_is_read_or_refused(text in "[-:{}\\[\\],&*!|>'\"%@?#~<a0 \n\t]{0,60}") {
        documents(text.as_bytes());
    }

    #[test]
    fn any_text_of_json_is_read_or_refused(text in "\\{[-:{}\\[\\],\"\\\\u0-9eEtruefalsn. \n]{0,60}") {
        documents(text.as_bytes());
    }

    #[test]
    fn json_reads_as_serde_json_reads_it(value in json()) {
        let text = serde_json::json!({ "v": value }).to_string();
        let ours = super::json::parse(&text, 1).unwrap();
        prop_assert_eq!(to_json(&ours[0].root), serde_json::json!({ "v": value }));
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => match i64::try_from(*value) {
            Ok(value) => value.into(),
            Err(_) => u64::try_from(*value).unwrap().into(),
        },
        Value::Float(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Sequence(items) => items.iter().map(to_json).collect(),
        Value::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect()
        }
    }
}

/// YAML has no such escape; the parser behind `kubectl` does, and examples of its docs rely on it.
#[test]
fn a_backslash_before_a_single_quote_goes_as_for_kubectl() {
    insta::assert_snapshot!(
        read("a: \"it\\'s \\x41\" # it\\'s\nb: it\\'s\n\"c\\'\": |\n  it\\'s\n"),
        @r#"{a: "it's A", b: "it\\'s", c': "it\\'s\n"}"#
    );
    // Columns stay, and another mistake is told as if nothing had been replaced.
    insta::assert_snapshot!(
        [read("{a: \"\\'\", a: 1}"), read("a: \"\\'\"\nb: \"\\q\"\n"), read("a: [\"\\'\"\n")]
            .join("\n"),
        @r#"
    {a: "'"}
      a at 1:2 and 1:11
    2:4: invalid YAML: while parsing a quoted scalar, found unknown escape character
    2:1: invalid YAML: while parsing a flow sequence, expected ',' or ']'
    "#
    );
}
