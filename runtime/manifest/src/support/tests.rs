//! The printed table.

use std::path::Path;

use super::*;

#[test]
fn the_page_in_docs_is_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/manifest-support.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(&page, markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == markdown(),
        "docs/manifest-support.md is not the table any more: \
         UPDATE_DOCS=1 cargo test -p wasmpod-manifest support"
    );
}

fn verdict_of(field: &str) -> Verdict {
    rows().into_iter().find(|row| row.field() == field).unwrap_or_else(|| panic!("{field}")).verdict
}

#[test]
fn rows_speak_of_what_a_user_knows_by_name() {
    assert_eq!(verdict_of("spec.containers[].image"), Verdict::Honoured);
    assert_eq!(verdict_of("spec.containers[].resources.limits[memory]"), Verdict::Honoured);
    assert!(matches!(verdict_of("spec.hostNetwork"), Verdict::Refused(_)));
    assert!(matches!(verdict_of("spec.volumes[].nfs"), Verdict::Refused(_)));
    assert!(matches!(verdict_of("spec.affinity"), Verdict::Ignored(_)));
    assert_eq!(verdict_of("status"), Verdict::SetBySystem);
    assert_eq!(verdict_of("service.spec.ports[].nodePort"), Verdict::Honoured);
    assert!(matches!(verdict_of("service.spec.externalIPs"), Verdict::Ignored(_)));
    assert!(matches!(verdict_of("service.spec.loadBalancerSourceRanges"), Verdict::Refused(_)));
    assert_eq!(verdict_of("service.status"), Verdict::SetBySystem);
}

#[test]
fn nothing_below_a_field_without_effect_has_a_row() {
    assert!(!rows().iter().any(|row| row.path.starts_with("spec.affinity.")));
}

#[test]
fn text_has_one_line_a_row() {
    assert_eq!(text().lines().count(), rows().len());
    assert!(text().lines().any(|line| line.contains("hostNetwork") && line.contains("refused")));
}

fn explained(field: &str) -> String {
    match explain(field) {
        Ok(explanation) => explanation.to_string(),
        Err(unknown) => {
            format!("{unknown}; meant: {}\n", unknown.meant.as_deref().unwrap_or("-"))
        }
    }
}

#[test]
fn a_field_is_explained_with_the_fields_below_it() {
    insta::assert_snapshot!(explained("pod.spec.containers[0].resources"), @r"
    KIND:    Pod
    FIELD:   spec.containers[].resources <ResourceRequirements>
    SUPPORT: honoured

    FIELDS:
      claims    <[]ResourceClaim>      refused   a guest cannot be given devices
      limits    <map[string]Quantity>  honoured
      requests  <map[string]Quantity>  honoured
    ");
    insta::assert_snapshot!(explained("spec.containers.image"), @r"
    KIND:    Pod
    FIELD:   spec.containers[].image <string>
    SUPPORT: honoured
    ");
    insta::assert_snapshot!(explained("spec.containers[].ports[0].protocol"), @r#"
    KIND:    Pod
    FIELD:   spec.containers[].ports[].protocol <string>
    SUPPORT: refused: WASI has TCP and UDP sockets only (for "SCTP" only)
    "#);
}

#[test]
fn a_field_below_one_without_effect_says_why() {
    insta::assert_snapshot!(explained("spec.affinity.nodeAffinity"), @r"
    KIND:    Pod
    FIELD:   spec.affinity.nodeAffinity <NodeAffinity>
    SUPPORT: ignored: every Pod runs on this machine: nothing is scheduled (as all of spec.affinity)

    FIELDS:
      preferredDuringSchedulingIgnoredDuringExecution  <[]PreferredSchedulingTerm>  ignored   every Pod runs on this machine: nothing is scheduled
      requiredDuringSchedulingIgnoredDuringExecution   <NodeSelector>               ignored   every Pod runs on this machine: nothing is scheduled
    ");
}

#[test]
fn keys_of_maps_are_explained_by_themselves() {
    insta::assert_snapshot!(
        [
            explained("spec.containers.resources.limits[nvidia.com/gpu]"),
            explained("spec.containers.resources.limits.cpu"),
            explained("metadata.labels[app.kubernetes.io/name]"),
        ].concat(),
        @r"
    KIND:    Pod
    FIELD:   spec.containers[].resources.limits[nvidia.com/gpu] <Quantity>
    SUPPORT: refused: there are no devices and no huge pages to be given to guests
    KIND:    Pod
    FIELD:   spec.containers[].resources.limits[cpu] <Quantity>
    SUPPORT: honoured
    KIND:    Pod
    FIELD:   metadata.labels[app.kubernetes.io/name] <string>
    SUPPORT: honoured
    "
    );
}

#[test]
fn other_kinds_are_explained_by_their_names() {
    insta::assert_snapshot!(explained("deploy.spec.strategy"), @r"
    KIND:    Deployment
    FIELD:   spec.strategy <DeploymentStrategy>
    SUPPORT: ignored: one Pod is made of the template and nothing controls it

    FIELDS:
      rollingUpdate  <RollingUpdateDeployment>  ignored   one Pod is made of the template and nothing controls it
      type           <string>                   ignored   one Pod is made of the template and nothing controls it
    ");
    let same = explained("spec.restartPolicy");
    for field in ["pod.spec.restartPolicy", "po.spec.restartPolicy", "PODS.spec.restartPolicy"] {
        assert_eq!(explained(field), same);
    }
    assert!(explained("pod").starts_with("KIND:    Pod\n\nFIELDS:\n  apiVersion"));
    assert_eq!(explained(""), explained("pod"));
}

#[test]
fn a_service_is_explained_too() {
    insta::assert_snapshot!(explained("svc.spec.ports"), @r#"
    KIND:    Service
    FIELD:   spec.ports <[]ServicePort>
    SUPPORT: honoured

    FIELDS:
      appProtocol  <string>       ignored   connections are passed on as they are
      name         <string>       honoured
      nodePort     <integer>      honoured
      port         <integer>      honoured
      protocol     <string>       refused   WASI has TCP and UDP sockets only (for "SCTP" only)
      targetPort   <IntOrString>  honoured
    "#);
    insta::assert_snapshot!(explained("services.spec.type"), @r#"
    KIND:    Service
    FIELD:   spec.type <string>
    SUPPORT: ignored: no load balancer here: clients from outside come by the node port only (for "LoadBalancer" only)
    "#);
}

#[test]
fn a_misspelt_field_is_told_with_the_nearest() {
    insta::assert_snapshot!(
        [
            explained("spec.contaners[0].image"),
            explained("spec.containers.imagePullPolcy"),
            explained("spec.restartPolicy.policy"),
            explained("nonsense"),
            explained("spec..[[x"),
        ].concat(),
        @r"
    `contaners` is not a field of `spec`, which is a PodSpec; meant: pod.spec.containers[0].image
    `imagePullPolcy` is not a field of `spec.containers[]`, which is a Container; meant: pod.spec.containers[].imagePullPolicy
    `policy` is not a field of `spec.restartPolicy`, which is a string; meant: -
    `nonsense` is not a field of a Pod; meant: -
    `[x` is not a field of `spec`, which is a PodSpec; meant: -
    "
    );
}

/// Each row of the table can be asked for, and gives the verdict that the table gives.
#[test]
fn every_row_can_be_explained() {
    for row in rows() {
        let explanation = explain(&row.field()).unwrap_or_else(|error| panic!("{row:?}: {error}"));
        assert_eq!(
            (explanation.kind, explanation.path, explanation.verdict),
            (row.kind, row.path, row.verdict)
        );
    }
}
