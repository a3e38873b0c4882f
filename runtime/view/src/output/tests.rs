//! What `-o` may be, and what is said of the rest.

use std::io;

use serde_json::json;

use super::{Format, Shown, without_managed_fields};

fn parse(text: &str) -> Result<Format, String> {
    let read = |path: &str| match path {
        "template" => Ok("{.kind}".to_owned()),
        "columns" => Ok("A  B\n.kind  metadata.name\n".to_owned()),
        _ => Err(io::Error::from_raw_os_error(2)),
    };
    Format::parse(text, false, read).map_err(|error| error.to_string())
}

#[test]
fn formats_are_those_of_kubectl_without_go_templates() {
    assert_eq!(parse(""), Ok(Format::Table));
    assert_eq!(parse("wide"), Ok(Format::Wide));
    assert!(matches!(parse("jsonpath={.a}"), Ok(Format::JsonPath(_))));
    assert!(matches!(parse("jsonpath-file=template"), Ok(Format::JsonPath(_))));
    let unknown = parse("foo").unwrap_err();
    insta::assert_snapshot!(unknown, @r#"unable to match a printer suitable for the output format "foo", allowed formats are: custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,wide,yaml"#);
    assert!(parse("json=x").unwrap_err().contains(r#"output format "json=x""#));
    let table = [
        (
            "go-template={{.a}}",
            r#"output format "go-template" is not supported: use -o jsonpath=... or -o custom-columns=..."#,
        ),
        ("jsonpath", "template format specified but no template given"),
        ("jsonpath=", "template format specified but no template given"),
        ("jsonpath={.a", "error parsing jsonpath {.a, unclosed action"),
        (
            "jsonpath-file=/nope",
            "error reading --template /nope, No such file or directory (os error 2)",
        ),
        (
            "custom-columns-file=/nope",
            "error reading template /nope, No such file or directory (os error 2)",
        ),
        ("custom-columns", "custom-columns format specified but no custom columns given"),
        (
            "custom-columns=A",
            "unexpected custom-columns spec: A, expected <header>:<json-path-expr>",
        ),
        (
            "custom-columns=A:.a,",
            "unexpected custom-columns spec: , expected <header>:<json-path-expr>",
        ),
        ("custom-columns=A:.a[", "unterminated array"),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn columns_may_come_from_a_file() {
    let format = parse("custom-columns-file=columns").unwrap();
    let object = json!({ "kind": "Pod", "metadata": { "name": "web" } });
    assert_eq!(format.print(Shown::One(&object)).unwrap().unwrap(), "A     B\nPod   web\n");
    let read = |text: &'static str| move |_: &str| Ok(text.to_owned());
    let error =
        |text| Format::parse("custom-columns-file=x", false, read(text)).unwrap_err().to_string();
    insta::assert_snapshot!(error("A B\n.a\n"), @"number of headers (2) and field specifications (1) don't match");
    insta::assert_snapshot!(error("A\n"), @"invalid template, missing spec line. Expected format is one line of space separated headers, one line of space separated column specs.");
    insta::assert_snapshot!(error(""), @"invalid template, missing header line. Expected format is one line of space separated headers, one line of space separated column specs.");
}

#[test]
fn what_a_template_cannot_find_is_said_with_the_template() {
    let error = parse(r#"jsonpath={.a[?(@.b=="c")]}"#).unwrap();
    let error = error.print(Shown::One(&json!({ "a": 1 }))).unwrap_err();
    insta::assert_snapshot!(error, @r#"error executing jsonpath "{.a[?(@.b==\"c\")]}": Error executing template: 1 is not array or slice and cannot be filtered"#);
}

#[test]
fn nothing_is_a_list_without_items() {
    let print = |format: Format| format.print(Shown::Several(&[])).unwrap().unwrap();
    insta::assert_snapshot!(print(Format::Yaml), @r#"
    apiVersion: v1
    items: []
    kind: List
    metadata:
      resourceVersion: ""
    "#);
    assert_eq!(print(Format::Name), "");
}

#[test]
fn the_record_of_who_set_what_is_left_out() {
    let object = json!({ "metadata": { "name": "a", "managedFields": [{}] } });
    assert_eq!(without_managed_fields(object), json!({ "metadata": { "name": "a" } }));
    assert_eq!(without_managed_fields(json!(1)), json!(1));
}
