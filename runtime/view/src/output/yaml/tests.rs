//! Whatever is written reads back as the same value.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::to_string;

fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

#[test]
fn texts_are_quoted_where_they_must_be() {
    let value = json!({
        "yes": "no", "octal": "0123", "exp": "1e3", "empty": "", "colon": "a: b", "quote": "it's",
        "lead": " x", "tab": "a\tb", "emoji": "😀", "at": "@x", "n": null, "t": true, "f": 1.5,
        "map": {}, "list": [], "nested": [[1, [2]], { "a": { "b": "c" }, "z": 1 }, {}, []],
    });
    insta::assert_snapshot!(to_string(&value), @r#"
    at: '@x'
    colon: 'a: b'
    emoji: "\U0001F600"
    empty: ""
    exp: "1e3"
    f: 1.5
    lead: ' x'
    list: []
    map: {}
    "n": null
    nested:
    - - 1
      - - 2
    - a:
        b: c
      z: 1
    - {}
    - []
    octal: "0123"
    quote: it's
    t: true
    tab: "a\tb"
    "yes": "no"
    "#);
    assert_eq!(read(&to_string(&value)), value);
}

#[test]
fn texts_of_several_lines_are_blocks() {
    let value = json!({
        "clip": "a\nb\n", "strip": "a\n  b", "keep": "a\n\n\n", "lead": "  a\nb", "one": "\n",
        "hopeless": "a \nb", "list": ["a\nb"],
    });
    insta::assert_snapshot!(to_string(&value), @r#"
    clip: |
      a
      b
    hopeless: "a \nb"
    keep: |+
      a


    lead: |2-
        a
      b
    list:
    - |-
      a
      b
    one: |2+

    strip: |-
      a
        b
    "#);
    assert_eq!(read(&to_string(&value)), value);
}

#[test]
fn long_texts_are_folded_behind_the_80th_column() {
    let words = ["word"; 40].join(" ");
    let value =
        json!({ "plain": words, "single": format!("{words}: x"), "double": format!("\t{words}") });
    insta::assert_snapshot!(to_string(&value), @r#"
    double: "\tword word word word word word word word word word word word word word word
      word word word word word word word word word word word word word word word word
      word word word word word word word word word"
    plain: word word word word word word word word word word word word word word word
      word word word word word word word word word word word word word word word word
      word word word word word word word word word
    single: 'word word word word word word word word word word word word word word word
      word word word word word word word word word word word word word word word word
      word word word word word word word word word: x'
    "#);
    assert_eq!(read(&to_string(&value)), value);
}

#[test]
fn long_keys_stand_behind_a_question_mark() {
    let key = "k".repeat(129);
    let value = json!({ "map": { key: { "a": [1] } } });
    assert_eq!(read(&to_string(&value)), value);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n]{0,24}",
        "[ \t\n\r:#'\"|>0-9a-c-]{0,12}",
        "\\PC{0,12}",
        "[0-9eExX._+:TtZ-]{0,12}",
        "([a-z]{1,9} {1,2}){10,30}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_reads_back(value in any_value()) {
        let yaml = to_string(&value);
        prop_assert_eq!(read(&yaml), value, "{}", yaml);
    }
}
