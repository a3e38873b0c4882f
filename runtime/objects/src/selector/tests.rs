use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::resource::{CONFIG_MAPS, EVENTS, PODS};

fn labels(text: &str) -> LabelSelector {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn labels_select() {
    let object = json!({ "metadata": { "labels": { "a": "b", "e": "x", "n": "5" } } });
    for text in [
        "",
        "a",
        "a=b",
        "a==b",
        "a != c",
        "e in (x, y)",
        "e notin (z)",
        "absent notin (z)",
        "!f",
        "a=b,c!=d,e in (x,y),!f",
        "n>4",
        "n<6",
        "absent!=x",
    ] {
        assert!(labels(text).matches_object(&object), "{text}");
    }
    for text in ["!a", "a=", "a!=b", "e in (y)", "e notin (x)", "f", "n>5", "a>1", "a in ()"] {
        assert!(!labels(text).matches_object(&object), "{text}");
    }
    assert!(!labels("a").matches_object(&json!({})));
}

#[test]
fn a_label_selector_prints_in_order() {
    let printed = |text: &str| labels(text).to_string();
    assert_eq!(printed(" z , b in ( y,x,),a==1 "), "a==1,b in (,x,y),z");
    assert_eq!(printed("in in (in,notin)"), "in in (in,notin)");
    assert_eq!(printed("a=,!b,c notin (),d>3,e<4,f!=g"), "a=,!b,c notin (),d>3,e<4,f!=g");
}

#[test]
fn wrong_label_selectors_are_told_as_apimachinery_tells_them() {
    let said = [
        "a=b=c",
        "!",
        "a in",
        "a in x",
        "a in (x",
        "a in (x y)",
        "a,",
        ",a",
        "a b",
        "a in (=)",
        "!a=b",
        "a=(",
        "a b/",
        "b/=c",
        "a=$",
        "a in ($,x,#)",
        "n>x",
        "(",
    ]
    .map(|text| format!("{text}  ->  {}", text.parse::<LabelSelector>().unwrap_err()));
    insta::assert_snapshot!(said.join("\n"), @r##"
    a=b=c  ->  found '=', expected: ',' or 'end of string'
    !  ->  unable to parse requirement: found '', expected: identifier
    a in  ->  unable to parse requirement: found '' expected: '('
    a in x  ->  unable to parse requirement: found 'x' expected: '('
    a in (x  ->  unable to parse requirement: found '', expected: ',' or ')'
    a in (x y)  ->  unable to parse requirement: found 'y', expected: ',' or ')'
    a,  ->  found '', expected: identifier after ','
    ,a  ->  found ',', expected: !, identifier, or 'end of string'
    a b  ->  unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt
    a in (=)  ->  unable to parse requirement: found '=', expected: ',', ')' or identifier
    !a=b  ->  found '=', expected: ',' or 'end of string'
    a=(  ->  unable to parse requirement: found '(', expected: identifier
    a b/  ->  unable to parse requirement: found 'b/', expected: in, notin, =, ==, !=, gt, lt
    b/=c  ->  unable to parse requirement: <nil>: Invalid value: "b/": name part must be non-empty; name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
    a=$  ->  unable to parse requirement: values[0][a]: Invalid value: "$": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
    a in ($,x,#)  ->  unable to parse requirement: [values[0][a]: Invalid value: "#": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'), values[1][a]: Invalid value: "$": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')]
    n>x  ->  unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer
    (  ->  found '(', expected: !, identifier, or 'end of string'
    "##);
}

#[test]
fn fields_select() {
    let pod = json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "nodeName": "n1", "restartPolicy": "Always" },
        "status": { "phase": "Running", "podIP": "10.0.0.1" },
    });
    let selects = |text: &str| FieldSelector::parse(PODS, text).unwrap().matches(&pod);
    for text in [
        "",
        "metadata.name=web",
        "metadata.namespace==default,status.phase!=Failed",
        "spec.nodeName=n1",
        "spec.host=n1",
        "status.podIP=10.0.0.1",
        "spec.hostNetwork=false",
        "status.nominatedNodeName=",
    ] {
        assert!(selects(text), "{text}");
    }
    assert!(!selects("status.phase!=Running"));
    assert!(!selects("metadata.name=web,status.phase=Failed"));

    let event = json!({ "involvedObject": { "name": "web" }, "type": "Warning",
        "source": { "component": "kubelet" } });
    let selects = |text: &str| FieldSelector::parse(EVENTS, text).unwrap().matches(&event);
    assert!(selects("involvedObject.name=web,type=Warning,source=kubelet,reason="));
    assert!(!selects("involvedObject.uid=x"));
}

#[test]
fn wrong_field_selectors_are_told_as_apimachinery_tells_them() {
    let error = |resource, text| FieldSelector::parse(resource, text).unwrap_err().to_string();
    assert_eq!(error(PODS, "status.hostIP=1"), "field label not supported: status.hostIP");
    assert_eq!(
        error(CONFIG_MAPS, "data.x=1"),
        "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
    assert_eq!(
        error(PODS, "metadata.name"),
        "invalid selector: 'metadata.name'; can't understand 'metadata.name'"
    );
    assert_eq!(
        error(PODS, "metadata.name=a=b"),
        "invalid field selector: unescaped character in value: 61"
    );
    assert_eq!(
        error(PODS, r"metadata.name=a\b"),
        r"invalid field selector: invalid escape sequence: \b"
    );
    let escaped = FieldSelector::parse(PODS, r"metadata.name=a\,b\=c\\").unwrap();
    assert_eq!(escaped.exact("metadata.name"), Some(r"a,b=c\"));
    assert_eq!(escaped.to_string(), r"metadata.name=a\,b\=c\\");
}

#[test]
fn what_is_looked_at_is_enough() {
    let pod = json!({
        "metadata": { "name": "web", "labels": { "a": "b" }, "annotations": { "labels": "x" } },
        "spec": { "nodeName": "n1", "containers": [{ "name": "a", "ports": [1, 2.5, -3, null] }] },
        "status": { "phase": "Running", "podIP": "10.0.0.1", "podIPs": [{ "ip": "10.0.0.1" }] },
    });
    let selection = Selection {
        labels: labels("a=b"),
        fields: FieldSelector::parse(PODS, "status.podIPs=10.0.0.1,spec.nodeName!=n2").unwrap(),
    };
    let picked = selection.paths().pick(&pod.to_string()).unwrap();
    assert_eq!(
        picked,
        json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "nodeName": "n1" },
            "status": { "podIP": "10.0.0.1" } })
    );
    assert!(selection.matches(&picked) && selection.matches(&pod));
    assert_eq!(selection.paths().pick("[1]").unwrap(), json!(null));
    assert_eq!(selection.paths().pick(r#"{"metadata":1}"#).unwrap(), json!({ "metadata": null }));
    assert!(selection.paths().pick(r#"{"metadata":{}"#).is_err());
}

proptest! {
    #[test]
    fn whatever_is_parsed_prints_and_parses_to_the_same(text in "[ab/.!=<>(), intox0-9]{0,24}") {
        if let Ok(selector) = text.parse::<LabelSelector>() {
            let printed = selector.to_string();
            prop_assert_eq!(printed.parse::<LabelSelector>().unwrap(), selector, "{}", printed);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in ".{0,40}") {
        let _ = text.parse::<LabelSelector>();
        if let Ok(selector) = FieldSelector::parse(PODS, &text) {
            prop_assert_eq!(FieldSelector::parse(PODS, &selector.to_string()).unwrap(), selector);
        }
    }

    #[test]
    fn field_values_are_escaped(value in ".{0,12}") {
        let escaped: String = value.chars().flat_map(|character| {
            matches!(character, '\\' | ',' | '=').then_some('\\').into_iter().chain([character])
        }).collect();
        let selector = FieldSelector::parse(PODS, &format!("spec.nodeName={escaped}")).unwrap();
        let pod = json!({ "spec": { "nodeName": value } });
        prop_assert!(selector.matches(&pod));
        prop_assert_eq!(FieldSelector::parse(PODS, &selector.to_string()).unwrap(), selector);
    }
}
