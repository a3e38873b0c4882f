//! `wasmpod run NAME --image=IMAGE …`: the manifest that `kubectl run` would write for it.

use serde_json::{Map, Value, json};

use crate::args::{Imperative, Restart};
use crate::failure::Failure;

/// The Pod as a manifest, to go through the same checks as one in a file.
///
/// # Errors
/// A variable or label that is not NAME=VALUE.
pub(crate) fn pod(
    name: &str,
    image: &str,
    from: &Imperative,
    restart: Restart,
) -> Result<Value, Failure> {
    let mut container = Map::new();
    if !from.args.is_empty() {
        container.insert(if from.command { "command" } else { "args" }.into(), json!(from.args));
    }
    let environment = from
        .env
        .iter()
        .map(|pair| split("--env", pair).map(|(name, value)| json!({"name": name, "value": value})))
        .collect::<Result<Vec<_>, _>>()?;
    if !environment.is_empty() {
        container.insert("env".into(), Value::Array(environment));
    }
    container.insert("image".into(), json!(image));
    container.insert("name".into(), json!(name));
    if let Some(port) = from.port {
        container.insert("ports".into(), json!([{"containerPort": port}]));
    }
    container.insert("resources".into(), json!({}));
    if from.stdin {
        container.insert("stdin".into(), json!(true));
        container.insert("stdinOnce".into(), json!(true));
    }
    if from.tty {
        container.insert("tty".into(), json!(true));
    }

    let mut metadata = Map::new();
    if !from.annotations.is_empty() {
        metadata.insert("annotations".into(), pairs("--annotations", &from.annotations)?);
    }
    let labels = if from.labels.is_empty() {
        json!({"run": name})
    } else {
        pairs("--labels", &from.labels)?
    };
    metadata.insert("labels".into(), labels);
    metadata.insert("name".into(), json!(name));
    if let Some(namespace) = &from.namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "containers": [container],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": restart.as_str(),
        },
        "status": {},
    }))
}

fn pairs(flag: &str, pairs: &[String]) -> Result<Value, Failure> {
    let pairs = pairs
        .iter()
        .map(|pair| split(flag, pair).map(|(name, value)| (name.to_owned(), json!(value))))
        .collect::<Result<Map<_, _>, _>>()?;
    Ok(Value::Object(pairs))
}

fn split<'a>(flag: &str, pair: &'a str) -> Result<(&'a str, &'a str), Failure> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(Failure::new(format!("{flag} {pair}: expected NAME=VALUE"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{CommandLine, Verb};

    fn manifest(words: &[&str]) -> String {
        let line = CommandLine::try_parse_from(["wasmpod", "run"].iter().chain(words)).unwrap();
        let Verb::Run(run) = line.verb else { unreachable!() };
        let image = run.imperative.image.clone().unwrap();
        match pod(run.target.as_deref().unwrap(), &image, &run.imperative, Restart::Always) {
            Ok(pod) => serde_saphyr::to_string(&pod).unwrap(),
            Err(failure) => format!("{failure:?}"),
        }
    }

    #[test]
    fn writes_what_kubectl_run_writes() {
        insta::assert_snapshot!(
            manifest(&["web", "--image=./web.wasm", "--port=8080", "--env", "A=b=c", "--", "-x", "yes"]),
            @r#"
        apiVersion: v1
        kind: Pod
        metadata:
          labels:
            run: web
          name: web
        spec:
          containers:
          - args:
            - -x
            - "yes"
            env:
            - name: A
              value: b=c
            image: ./web.wasm
            name: web
            ports:
            - containerPort: 8080
            resources: {}
          dnsPolicy: ClusterFirst
          restartPolicy: Always
        status: {}
        "#
        );
    }

    #[test]
    fn says_which_pair_is_wrong() {
        assert!(
            manifest(&["web", "--image=x", "--env", "A"]).contains("--env A: expected NAME=VALUE")
        );
    }
}
