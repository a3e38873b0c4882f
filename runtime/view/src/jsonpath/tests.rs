//! What kubectl prints and says of the same templates. More of them are among the recordings.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JsonPath, relaxed};

fn object() -> Value {
    json!({
        "kind": "Widget",
        "spec": {
            "big": 12_345_678_901_234_i64,
            "none": null,
            "html": { "a": "<b>" },
            "parts": [{ "name": "p", "size": 1.5 }, { "name": "q", "on": true }],
            "ranges": ["a", "b"],
            "dotted.key/x": "dot",
        },
    })
}

/// The text, or what is wrong.
fn printed(template: &str) -> String {
    match JsonPath::parse(template).map(|path| path.print(&object())) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => format!("evaluate: {error}"),
        Err(error) => format!("parse: {error}"),
    }
}

#[test]
fn templates_print_as_in_kubectl() {
    let table = [
        ("{.kind}", "Widget"),
        (".kind", ".kind"),
        ("a {.kind} b", "a Widget b"),
        ("{$.kind}{@.kind}{ .kind }", "WidgetWidgetWidget"),
        ("{.spec .big}", "12345678901234"),
        ("{.spec.none}|{.nope}|{.kind.x}|{.}", "null|||"),
        ("{.spec.html}", r#"{"a":"\u003cb\u003e"}"#),
        ("{.spec.html.a}", "<b>"),
        ("{.spec.parts[*].name}", "p q"),
        ("{.spec.parts[-1].name}{.spec.parts[-1:].name}{.spec.parts[:-1].name}", "qqp"),
        ("{.spec.parts[].name}", "p"),
        ("{.spec.parts[2:2].name}", ""),
        ("{.spec['big','kind']}", "12345678901234"),
        ("{.spec.parts[0,1].name}", "p q"),
        (r"{.spec.dotted\.key/x}", "dot"),
        (r"{.spec['dotted\.key/x']}", "dot"),
        ("{..name}", "p q"),
        ("{.spec.parts[0].*}", "p 1.5"),
        (r#"{.spec.parts[?(@.name=="p")].size}"#, "1.5"),
        (r#"{.spec.parts[?( @.name == "p" )].size}"#, "1.5"),
        (r#"{.spec.parts[?(@.name!='p')].name}"#, "q"),
        ("{.spec.parts[?(@.size>1.0)].name}", "p"),
        ("{.spec.parts[?(@.on==true)].name}", "q"),
        ("{.spec.parts[?(@.on)].name}", "q"),
        (r#"{.spec.parts[?(.name<="p")].name}"#, "p"),
        (r#"{.spec.parts[?(@.name>="p")].name}"#, "p q"),
        (r#"{.spec.parts[?(@.name=="p)]")].name}"#, ""),
        (r#"{.spec.ranges[?(@=="a")]}"#, "a"),
        (r#"{range .spec.parts[*]}{.name}{"\n"}{end}{.kind}"#, "p\nq\nWidget"),
        ("{range .spec.parts[*]}{range .zz[*]}{.q}{end}{.name};{end}", "p;q;"),
        ("{range .spec.parts[?(@.x)]}{.name}{end}x", "x"),
        ("{range .spec.parts[*]}{.name},", "p,q,,"),
        (r#"{"a\tb\"c"}{'x"y'}"#, "a\tb\"cx\"y"),
        ("{1} {1.5} {true} {-2}", "1 1.5 true -2"),
        ("", ""),
    ];
    for (template, expected) in table {
        assert_eq!(printed(template), expected, "{template}");
    }
}

#[test]
fn errors_say_what_kubectl_says() {
    let table = [
        ("{.a[}", "parse: unterminated array"),
        ("{.a", "parse: unclosed action"),
        (r#"{.kind}{""#, "parse: unterminated quoted string"),
        ("{.items[?(@.a==}", "parse: unterminated filter"),
        ("{.items[?(@.a)x}", "parse: unclosed array expect ]"),
        ("{....x}", "parse: invalid multiple recursive descent"),
        ("{#}", "parse: unrecognized character in action: U+0023 '#'"),
        ("{.items[x]}", "parse: invalid array index x"),
        (r#"{.items["a"]}"#, r#"parse: invalid array index "a""#),
        ("{.spec.parts[ 0 ]}", "parse: invalid array index  0 "),
        ("{.spec.parts[-]}", "parse: array index - is not a number"),
        ("{.a[99999999999999999999]}", "parse: array index 99999999999999999999 is not a number"),
        (r#"{"\q"}"#, r#"parse: unquote string "\q" error invalid syntax"#),
        ("{1.2.3}", "parse: cannot parse number 1.2.3"),
        ("{foo}", "evaluate: unrecognized identifier foo"),
        ("{end}", "evaluate: not in range, nothing to end"),
        ("{.kind}{end}", "evaluate: not in range, nothing to end"),
        ("{.kind[0]}", "evaluate: string is not array or slice"),
        ("{.spec[0]}", "evaluate: map[string]interface {} is not array or slice"),
        (
            "{.spec.html[?(@.a)]}",
            "evaluate: map[a:<b>] is not array or slice and cannot be filtered",
        ),
        ("{.spec.parts[5]}", "evaluate: array index out of bounds: index 5, length 2"),
        ("{.spec.parts[0:9]}", "evaluate: array index out of bounds: index 8, length 2"),
        ("{.spec.parts[-5:-1]}", "evaluate: array index out of bounds: index -3, length 2"),
        ("{.spec.parts[1:0]}", "evaluate: starting index 1 is greater than ending index 0"),
        ("{.spec.parts[0:2:0]}", "evaluate: step must be > 0"),
        ("{.spec.parts[?(@.size>1)]}", "evaluate: incompatible types for comparison"),
        (r#"{.spec.parts[?(@.size=="x")]}"#, "evaluate: incompatible types for comparison"),
        ("{.spec.parts[?(@.on>true)]}", "evaluate: invalid type for comparison"),
        (r#"{.spec.parts[?(@=="a")]}"#, "evaluate: invalid type for comparison"),
        (r#"{.spec.parts[?(@.name="p")]}"#, "evaluate: unrecognized filter operator ="),
        ("{.spec.parts[?(@.name==p)]}", "evaluate: unrecognized identifier p"),
        ("{.spec.parts[?(@.*==1)]}", "evaluate: can only compare one element at a time"),
    ];
    for (template, expected) in table {
        assert_eq!(printed(template), expected, "{template}");
    }
}

#[test]
fn a_missing_key_is_an_error_where_all_are_asked_for() {
    let path = JsonPath::parse("{.spec.nope}").unwrap().with_all_keys();
    assert_eq!(path.print(&object()).unwrap_err().to_string(), "nope is not found");
    let path = JsonPath::parse("{.spec.none}").unwrap().with_all_keys();
    assert_eq!(path.print(&object()).unwrap(), "null");
}

#[test]
fn ranges_end_somewhere() {
    let error = JsonPath::parse(&"{range .a}".repeat(17)).unwrap_err();
    assert_eq!(error.to_string(), "more than 16 ranges inside each other");
    assert_eq!(printed(&"{range .kind}{.kind}{end}".repeat(200)), "");
}

#[test]
fn results_as_json_are_lists() {
    let path = JsonPath::parse("{.spec.ranges[*]}{.kind}").unwrap();
    insta::assert_snapshot!(path.print_as_json(&object()).unwrap(), @r#"
    [
        "a",
        "b"
    ]
    [
        "Widget"
    ]
    "#);
}

#[test]
fn paths_may_lack_braces_and_the_first_dot() {
    for path in ["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"] {
        assert_eq!(relaxed(path).as_deref(), Ok("{.metadata.name}"), "{path}");
    }
    assert_eq!(relaxed("").as_deref(), Ok(""));
    for path in ["{a}{b}", "{}", "{", "'{.a}'", "{{a}}"] {
        assert!(relaxed(path).is_err(), "{path}");
    }
}

proptest! {
    #[test]
    fn no_template_is_a_panic(template in "[{}.\\[\\]?()@$*:,'\"\\\\=<>! a-c0-9\n\u{e9}-]{0,40}") {
        printed(&template);
    }

    #[test]
    fn no_likely_template_is_a_panic(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "{range .spec.parts[*]}", "{end}", ".spec", ".parts", "[0]", "[-1:5]",
                "[*]", "..", ".*", "[?(", "@.name", "==", "\"p\"", ")]", "{.kind}", "[0,'name']",
            ]),
            0..12,
        )
    ) {
        printed(&pieces.concat());
    }
}
