//! What kubectl makes of the same arguments.

use super::{ArgsOptions, Asked, BUILT_IN, NoName, ResourceType, parse};

const WIDGET: ResourceType = ResourceType {
    group: "example.com",
    kind: "Widget",
    plural: "widgets",
    singular: "widget",
    short_names: &["wi"],
    categories: &[],
    ..BUILT_IN[0]
};

const GET: ArgsOptions =
    ArgsOptions { selector: false, all_namespaces: false, no_name: NoName::All };

fn meaning(line: &str, options: ArgsOptions) -> String {
    let args: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
    let types: Vec<ResourceType> = BUILT_IN.iter().copied().chain([WIDGET]).collect();
    match parse(&args, &types, options) {
        Ok(Asked::Types(types)) => types.iter().map(|it| it.plural).collect::<Vec<_>>().join(" "),
        Ok(Asked::Named(named)) => {
            let names = named.iter().map(|it| format!("{}/{}", it.type_.prefix(), it.name));
            names.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn arguments_name_types_or_objects() {
    let no_foo = r#"the server doesn't have a resource type "foo""#;
    let no_pods = r#"the server doesn't have a resource type "pods""#;
    let single = "arguments in resource/name form must have a single resource and name";
    let table = [
        ("pods", "pods"),
        ("POD", "pods"),
        ("po,cm", "pods configmaps"),
        ("pod,po,pods", "pods"),
        ("all", "pods services"),
        ("all,cm", "pods services configmaps"),
        ("pod web db", "pod/web pod/db"),
        ("Pods web", "pod/web"),
        ("pod web web", "pod/web pod/web"),
        ("pod web,db", "pod/web,db"),
        ("po,cm web", "pod/web configmap/web"),
        ("pod/web cm/settings", "pod/web configmap/settings"),
        ("pods/web,db", "pod/web,db"),
        ("pods.v1.", "pods"),
        ("wi", "widgets"),
        ("Widget", "widgets"),
        ("widgets.example.com", "widgets"),
        ("widgets.v1.example.com", "widgets"),
        ("widget.example.com/one", "widget.example.com/one"),
        ("foo", no_foo),
        ("pods,foo", no_foo),
        ("foo/bar", no_foo),
        ("pods.v1", no_pods),
        ("pods.apps", no_pods),
        ("widgets.v2.example.com", r#"the server doesn't have a resource type "widgets""#),
        ("all web", "you must specify only one resource"),
        ("pod/", single),
        ("/web", single),
        ("pods, cm", single),
        ("pod/a/b", "arguments in resource/name form may not have more than one slash"),
    ];
    for (line, expected) in table {
        assert_eq!(meaning(line, GET), expected, "{line}");
    }
    for line in ["pods foo/bar", "pod/web cm", "pod web pod/x"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(meaning(line, GET), @"there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'wasmpod get resource/<resource_name>' instead of 'wasmpod get resource resource/<resource_name>'");
        }
    }
    insta::assert_snapshot!(meaning("", GET), @r"
    You must provide one or more resources by argument or filename.
    Example resource specifications include:
       '-f rsrc.yaml'
       '--filename=rsrc.json'
       '<resource> <name>'
       '<resource>'
    ");
}

#[test]
fn flags_narrow_what_arguments_may_be() {
    let delete = ArgsOptions { no_name: NoName::Error, ..GET };
    assert_eq!(meaning("pod", delete), "resource(s) were provided, but no name was specified");
    assert_eq!(meaning("foo", delete), r#"the server doesn't have a resource type "foo""#);
    let selector = ArgsOptions { selector: true, ..delete };
    assert_eq!(meaning("pod", selector), "pods");
    let name = "name cannot be provided when a selector is specified";
    assert_eq!(meaning("pod web", selector), name);
    let typed = "selectors and the all flag cannot be used when passing resource/name arguments";
    assert_eq!(meaning("pod/web", selector), typed);
    let alone = "at least one resource must be specified to use a selector";
    assert_eq!(meaning("", selector), alone);
    let everywhere = ArgsOptions { all_namespaces: true, ..GET };
    let across = "a resource cannot be retrieved by name across all namespaces";
    assert_eq!(meaning("pod web", everywhere), across);
    assert_eq!(meaning("node edge", everywhere), "node/edge");
    assert_eq!(meaning("pods", everywhere), "pods");
}
