//! What `kubectl` reads more kindly than YAML 1.2 would have it.

use super::documents;
use super::tests::read;
use crate::node::Node;

#[test]
fn lines_within_brackets_and_quotes_may_begin_anywhere() {
    let table = [
        ("a:\n  b: [\n    \"x\",\n    \"y\"\n  ]\n", r#"{a: {b: ["x", "y"]}}"#),
        ("a:\n  b: [\n    \"x\"\n]\n", r#"{a: {b: ["x"]}}"#),
        ("a:\n- b: [\"x\",\n\"y\", # z\nz]\n", r#"{a: [{b: ["x", "y", "z"]}]}"#),
        ("a:\n- {b: c,\nd: e}\n- f\n", r#"{a: [{b: "c", d: "e"}, "f"]}"#),
        ("a:\n  b: {\n\t\"c\": 1,\n\t}\n", "{a: {b: {c: 1}}}"),
        ("a:\n  b: [x\n y,\n\n\tz]\n", r#"{a: {b: ["x y", "z"]}}"#),
        ("a:\n  b: \"x\n  y\n\n\tz\\\nz\"\n  c: 1\n", r#"{a: {b: "x y\nzz", c: 1}}"#),
        ("a:\n  b: 'it''s\n[\n\n'\n  c: [1]\n", r#"{a: {b: "it's [\n", c: [1]}}"#),
        ("a:\n  - 'x\ny'\n  - >\n    [\n  - \"]\n\"\n", r#"{a: ["x y", "[\n", "] "]}"#),
        ("a:\n  &x b: [\n1]\n  c: *x\n  d: !!str \"\n\"\n", r#"{a: {b: [1], c: "b", d: " "}}"#),
        // Nothing of this opens anything.
        (
            "a:\n  b: [\n\"\"]\n  c: it's [\n   \"that\n  d: x# '\n",
            r#"{a: {b: [""], c: "it's [ \"that", d: "x# '"}}"#,
        ),
        (
            "a:\n  b: [\n\"x\" # ]\"\n]\n  c: |\n   [\n  # '\n  d: a[\n",
            r#"{a: {b: ["x"], c: "[\n", d: "a["}}"#,
        ),
        ("a:\n  b: [it's,\n\"x\", a\"b, a#b]\n", r#"{a: {b: ["it's", "x", "a\"b", "a#b"]}}"#),
        ("a: [1]#c\nb: \"x\"#c\nc: {d: 'e'}#'\n", r#"{a: [1], b: "x", c: {d: "e"}}"#),
        ("a:\r\n  b: [\r\n    \"x\"\r\n  ]\r\n", r#"{a: {b: ["x"]}}"#),
        ("--- # x\na:\n  b: [\n\"x\"]\n--- {c: [\n\"x\"]}\n", "{a: {b: [\"x\"]}}\n{c: [\"x\"]}"),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_tab_may_follow_a_colon() {
    assert_eq!(
        read("a:\tb\nc:\t-1\nd:\t\t_\ne: {f:\tg, \"h\":\t1}\n"),
        r#"{a: "b", c: -1, d: "_", e: {f: "g", h: 1}}"#
    );
    assert_eq!(read("- a:\tb\n  c: |\n    d:\te\n"), r#"[{a: "b", c: "d:\te\n"}]"#);
    for wrong in
        ["a:\tb: c\n", "a:\t- b\n", "a:\n\tb: c\n", "a:\tb\n\tc: d\n", "a:\n b: [c\n\td]\n"]
    {
        assert!(read(wrong).contains("invalid YAML"), "{wrong:?}: {}", read(wrong));
    }
}

#[test]
fn places_in_moved_lines_are_those_of_the_file() {
    let (documents, errors) =
        documents(b"a: 1\n---\na:\n    b: [\n  \"x\",\n\"y\",\n\t\t1, {c: 2}\n]\n");
    assert_eq!(errors, []);
    let list = documents[1].root.get("a").unwrap().get("b").unwrap();
    let place = |node: &Node| (node.at.line, node.at.column);
    let places: Vec<_> = (0..4).map(|index| place(list.item(index).unwrap())).collect();
    assert_eq!(places, [(5, 3), (6, 1), (7, 3), (7, 6)]);
    assert_eq!(place(list.item(3).unwrap().get("c").unwrap()), (7, 10));
}

#[test]
fn what_is_wrong_within_moved_lines_is_told_where_it_is() {
    insta::assert_snapshot!(
        [
            "a:\n  b: [\n\"x\",\n]]\n",
            "a:\n  b: [\"x\",\n  c: 1\n",
            "a:\n  b: [\n  \"x\"\n  \"y\"\n  ]\n",
            // The first quote is not closed.
            "a:\n  b: \"x\n  c: 1\n  d: \"y\"\n",
            "a:\n  b: \"x\n  c: 1\n",
            "a:\n  b: \"x\n  y\"\n  c: }\n",
            "a:\n  b: \"x\n--- y\"\n",
        ]
        .map(read)
        .join("\n"),
        @r"
    4:2: invalid YAML: misplaced bracket
    4:1: invalid YAML: while parsing a flow mapping, did not find expected ',' or '}'
    4:3: invalid YAML: while parsing a flow sequence, expected ',' or ']'
    2:6: invalid YAML: invalid indentation in quoted scalar (is its closing quote missing?)
    2:6: invalid YAML: while scanning a quoted scalar, found unexpected end of stream
    4:6: invalid YAML: misplaced bracket
    2:6: invalid YAML: while scanning a quoted scalar, found unexpected document indicator
    "
    );
}

#[test]
fn a_text_does_not_grow_without_bound() {
    let far = format!("{}a: [{}\"x\"]\n", " ".repeat(1 << 16), "\"x\",\n".repeat(1 << 16));
    assert!(read(far).contains("invalid YAML"));
    let near = format!("a:\n  b: [{}\"x\"]\n", "\"x\",\n".repeat(1 << 16));
    assert!(read(near).starts_with("{a: {b: ["));
}
