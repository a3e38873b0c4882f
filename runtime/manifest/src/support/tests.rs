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
    match explain(field, Depth::One) {
        Ok(explanation) => explanation.to_string(),
        Err(unknown) => {
            format!("{unknown}; meant: {}\n", unknown.meant.as_deref().unwrap_or("-"))
        }
    }
}

/// The same without what Kubernetes says.
fn brief(field: &str) -> String {
    let page = explained(field);
    let lines = page.lines().filter(|line| !line.starts_with("    ") && *line != "DESCRIPTION:");
    lines.filter(|line| !line.is_empty()).map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn a_field_is_explained_with_the_fields_below_it() {
    insta::assert_snapshot!(explained("pod.spec.containers[0].resources"), @r"
    KIND:       Pod
    VERSION:    v1

    FIELD: resources <ResourceRequirements>
    SUPPORT: honoured

    DESCRIPTION:
        Compute Resources required by this container. Cannot be updated. More info:
        https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
        ResourceRequirements describes the compute resource requirements.

    FIELDS:
      claims	<[]ResourceClaim>	refused: a guest cannot be given devices
        Claims lists the names of resources, defined in spec.resourceClaims, that
        are used by this container.

        This field depends on the DynamicResourceAllocation feature gate.

        This field is immutable. It can only be set for containers.

      limits	<map[string]Quantity>	honoured
        Limits describes the maximum amount of compute resources allowed. More info:
        https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/

      requests	<map[string]Quantity>	honoured
        Requests describes the minimum amount of compute resources required. If
        Requests is omitted for a container, it defaults to Limits if that is
        explicitly specified, otherwise to an implementation-defined value. Requests
        cannot exceed Limits. More info:
        https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
    ");
    insta::assert_snapshot!(explained("spec.containers.image"), @r"
    KIND:       Pod
    VERSION:    v1

    FIELD: image <string>
    SUPPORT: honoured

    DESCRIPTION:
        Container image name. More info:
        https://kubernetes.io/docs/concepts/containers/images This field is optional
        to allow higher level config management to default or override container
        images in workload controllers like Deployments and StatefulSets.
    ");
    insta::assert_snapshot!(explained("spec.containers[].ports[0].protocol"), @r#"
    KIND:       Pod
    VERSION:    v1

    FIELD: protocol <string>
    SUPPORT: refused: WASI has TCP and UDP sockets only (for "SCTP" only)

    DESCRIPTION:
        Protocol for port. Must be UDP, TCP, or SCTP. Defaults to "TCP".
    "#);
}

#[test]
fn a_field_below_one_without_effect_says_why() {
    insta::assert_snapshot!(brief("spec.affinity.nodeAffinity"), @r"
    KIND:       Pod
    VERSION:    v1
    FIELD: nodeAffinity <NodeAffinity>
    SUPPORT: ignored: every Pod runs on this machine: nothing is scheduled (as all of spec.affinity)
    FIELDS:
      preferredDuringSchedulingIgnoredDuringExecution	<[]PreferredSchedulingTerm>	ignored: every Pod runs on this machine: nothing is scheduled
      requiredDuringSchedulingIgnoredDuringExecution	<NodeSelector>	ignored: every Pod runs on this machine: nothing is scheduled
    ");
}

#[test]
fn keys_of_maps_are_explained_by_themselves() {
    insta::assert_snapshot!(
        [
            brief("spec.containers.resources.limits[nvidia.com/gpu]"),
            brief("spec.containers.resources.limits.cpu"),
            brief("metadata.labels[app.kubernetes.io/name]"),
        ].concat(),
        @r"
        KIND:       Pod
        VERSION:    v1
        FIELD: limits[nvidia.com/gpu] <Quantity>
        SUPPORT: refused: there are no devices and no huge pages to be given to guests
        KIND:       Pod
        VERSION:    v1
        FIELD: limits[cpu] <Quantity>
        SUPPORT: honoured
        KIND:       Pod
        VERSION:    v1
        FIELD: labels[app.kubernetes.io/name] <string>
        SUPPORT: honoured
        "
    );
}

#[test]
fn other_kinds_are_explained_by_their_names() {
    insta::assert_snapshot!(brief("deploy.spec.strategy"), @r"
    GROUP:      apps
    KIND:       Deployment
    VERSION:    v1
    FIELD: strategy <DeploymentStrategy>
    SUPPORT: ignored: one Pod is made of the template and nothing controls it
    FIELDS:
      rollingUpdate	<RollingUpdateDeployment>	ignored: one Pod is made of the template and nothing controls it
      type	<string>	ignored: one Pod is made of the template and nothing controls it
    ");
    let same = brief("spec.restartPolicy");
    for field in ["pod.spec.restartPolicy", "po.spec.restartPolicy", "PODS.spec.restartPolicy"] {
        assert_eq!(brief(field), same);
    }
    assert!(brief("pod").contains("VERSION:    v1\nFIELDS:\n  apiVersion"));
    assert_eq!(brief(""), brief("pod"));
}

#[test]
fn a_service_is_explained_too() {
    insta::assert_snapshot!(brief("svc.spec.ports"), @r#"
    KIND:       Service
    VERSION:    v1
    FIELD: ports <[]ServicePort>
    SUPPORT: honoured
    FIELDS:
      appProtocol	<string>	ignored: connections are passed on as they are
      name	<string>	honoured
      nodePort	<integer>	honoured
      port	<integer> -required-	honoured
      protocol	<string>	refused: WASI has TCP and UDP sockets only (for "SCTP" only)
      targetPort	<IntOrString>	honoured
    "#);
    insta::assert_snapshot!(brief("services.spec.type"), @r#"
    KIND:       Service
    VERSION:    v1
    FIELD: type <string>
    SUPPORT: ignored: no load balancer here: clients from outside come by the node port only (for "LoadBalancer" only)
    "#);
}

#[test]
fn a_tree_has_a_line_a_field() {
    let tree = explain("pod.spec.containers.livenessProbe", Depth::All).unwrap().to_string();
    let fields = tree.split("FIELDS:\n").nth(1).unwrap();
    insta::assert_snapshot!(fields, @r"
    exec	<ExecAction>	honoured
      command	<[]string>	honoured
    failureThreshold	<integer>	honoured
    grpc	<GRPCAction>	honoured
      mode	<string>	ignored: a gRPC probe speaks without TLS
      port	<integer> -required-	honoured
      service	<string>	honoured
    httpGet	<HTTPGetAction>	honoured
      host	<string>	honoured
      httpHeaders	<[]HTTPHeader>	honoured
        name	<string> -required-	honoured
        value	<string> -required-	honoured
      path	<string>	honoured
      port	<IntOrString> -required-	honoured
      protocol	<string>	ignored: a probe speaks HTTP/1.1
      scheme	<string>	honoured
    initialDelaySeconds	<integer>	honoured
    periodSeconds	<integer>	honoured
    successThreshold	<integer>	honoured
    tcpSocket	<TCPSocketAction>	honoured
      host	<string>	honoured
      port	<IntOrString> -required-	honoured
    terminationGracePeriodSeconds	<integer>	honoured
    timeoutSeconds	<integer>	honoured
    ");
}

#[test]
fn a_misspelt_field_is_told_with_the_nearest() {
    insta::assert_snapshot!(
        [
            brief("spec.contaners[0].image"),
            brief("spec.containers.imagePullPolcy"),
            brief("spec.restartPolicy.policy"),
            brief("nonsense"),
            brief("spec..[[x"),
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
        let explanation = explain(&row.field(), Depth::One);
        let explanation = explanation.unwrap_or_else(|error| panic!("{row:?}: {error}"));
        assert_eq!(
            (explanation.kind, explanation.path, explanation.verdict),
            (row.kind, row.path, row.verdict)
        );
    }
}
