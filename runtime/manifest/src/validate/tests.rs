//! Rules that no manifest can show: the loader refuses these fields before they are checked.
//! What it lets through is tested by the manifests in `tests/invalid`.

use k8s_openapi::api::core::v1::Pod;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::defaults;

fn wrong(spec: Value) -> Vec<String> {
    let mut spec = spec;
    if spec.get("containers").is_none() {
        spec["containers"] = json!([{"name": "app", "image": "app.wasm"}]);
    }
    let pod = json!({"metadata": {"name": "web"}, "spec": spec});
    let mut pod: Pod = serde_json::from_value(pod).unwrap();
    defaults::apply(&mut pod);
    super::pod(&pod).iter().map(ToString::to_string).collect()
}

/// What is wrong with one volume, each line without the path of the volume.
fn wrong_volume(source: Value) -> Vec<String> {
    let mut volume = source;
    volume["name"] = json!("data");
    let lines = wrong(json!({"volumes": [volume]}));
    lines.iter().map(|line| line.trim_start_matches("spec.volumes[0].").to_owned()).collect()
}

#[test]
fn disks_and_file_systems_of_others() {
    let table: Vec<(Value, &[&str])> = vec![
        (
            json!({"nfs": {"server": "", "path": "a"}}),
            &[
                "nfs.server: Required value",
                r#"nfs.path: Invalid value: "a": must be an absolute path"#,
            ],
        ),
        (
            json!({"gitRepo": {"repository": "", "directory": "/a"}}),
            &[
                "gitRepo.repository: Required value",
                r#"gitRepo.directory: Invalid value: "/a": must be a relative path"#,
            ],
        ),
        (
            json!({"gcePersistentDisk": {"pdName": "", "partition": 256}}),
            &[
                "gcePersistentDisk.pdName: Required value",
                "gcePersistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive",
            ],
        ),
        (
            json!({"awsElasticBlockStore": {"volumeID": "", "partition": -1}}),
            &[
                "awsElasticBlockStore.volumeID: Required value",
                "awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive",
            ],
        ),
        (
            json!({"iscsi": {"targetPortal": "a", "iqn": "iqn.2015-02.example.com:disk", "lun": 0}}),
            &[],
        ),
        (
            json!({"iscsi": {"targetPortal": "a", "iqn": "eui.0123456789abcdef", "lun": 256}}),
            &["iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"],
        ),
        (
            json!({"iscsi": {"targetPortal": "a", "iqn": "iqn.2015.a:b", "lun": 0, "chapAuthSession": true}}),
            &[
                r#"iscsi.iqn: Invalid value: "iqn.2015.a:b": must be valid format"#,
                "iscsi.secretRef: Required value",
            ],
        ),
        (
            json!({"iscsi": {"targetPortal": "", "iqn": "disk", "lun": 0}}),
            &[
                "iscsi.targetPortal: Required value",
                r#"iscsi.iqn: Invalid value: "disk": must be valid format starting with iqn, eui, or naa"#,
            ],
        ),
        (
            json!({"glusterfs": {"endpoints": "", "path": ""}}),
            &["glusterfs.endpoints: Required value", "glusterfs.path: Required value"],
        ),
        (
            json!({"flocker": {}}),
            &["flocker: Required value: one of datasetName and datasetUUID is required"],
        ),
        (
            json!({"rbd": {"monitors": [], "image": ""}}),
            &["rbd.monitors: Required value", "rbd.image: Required value"],
        ),
        (json!({"cephfs": {"monitors": []}}), &["cephfs.monitors: Required value"]),
        (
            json!({"cinder": {"volumeID": "", "secretRef": {"name": ""}}}),
            &["cinder.volumeID: Required value", "cinder.secretRef.name: Required value"],
        ),
        (
            json!({"quobyte": {"registry": "a", "volume": ""}}),
            &[
                r#"quobyte.registry: Invalid value: "a": must be a host:port pair or multiple pairs separated by commas"#,
                "quobyte.volume: Required value",
            ],
        ),
        (
            json!({"fc": {"targetWWNs": ["a"], "wwids": ["b"]}}),
            &[
                r#"fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously"#,
                "fc.lun: Required value: lun is required if targetWWNs is specified",
            ],
        ),
        (
            json!({"flexVolume": {"driver": "", "options": {"a.k8s.io/b": "c"}}}),
            &[
                "flexVolume.driver: Required value",
                r#"flexVolume.options[a.k8s.io/b]: Invalid value: "a.k8s.io/b": kubernetes.io and k8s.io namespaces are reserved"#,
            ],
        ),
        (
            json!({"azureFile": {"secretName": "", "shareName": ""}}),
            &["azureFile.secretName: Required value", "azureFile.shareName: Required value"],
        ),
        (
            json!({"azureDisk": {"diskName": "a", "diskURI": "a", "kind": "Managed", "cachingMode": "On"}}),
            &[
                r#"azureDisk.cachingMode: Unsupported value: "On": supported values: "None", "ReadOnly", "ReadWrite""#,
                r#"azureDisk.diskURI: Unsupported value: "a": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}""#,
            ],
        ),
        (
            json!({"csi": {"driver": "a_b", "nodePublishSecretRef": {"name": "A"}}}),
            &[
                r#"csi.driver: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
                r#"csi.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
            ],
        ),
        (
            json!({"vsphereVolume": {"volumePath": ""}}),
            &["vsphereVolume.volumePath: Required value"],
        ),
        (json!({"portworxVolume": {"volumeID": ""}}), &["portworxVolume.volumeID: Required value"]),
        (
            json!({"photonPersistentDisk": {"pdID": ""}}),
            &["photonPersistentDisk.pdID: Required value"],
        ),
        (json!({"storageos": {"volumeNamespace": "a"}}), &["storageos.volumeName: Required value"]),
        (
            json!({"scaleIO": {"gateway": "", "system": "a", "secretRef": {"name": "a"}}}),
            &["scaleIO.gateway: Required value", "scaleIO.volumeName: Required value"],
        ),
        (
            json!({"image": {"reference": "a", "pullPolicy": "Sometimes"}}),
            &[
                r#"image.pullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
            ],
        ),
        (
            json!({"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "a"}, "spec": {}}}}),
            &[
                "ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
                "ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
                "ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
            ],
        ),
    ];
    for (source, expected) in table {
        assert_eq!(wrong_volume(source.clone()), expected, "{source}");
    }
}

#[test]
fn tokens_and_certificates() {
    let projected = |source: Value| wrong_volume(json!({"projected": {"sources": [source]}}));
    assert_eq!(
        projected(json!({"serviceAccountToken": {"path": "", "expirationSeconds": 60}})),
        [
            "projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not \
             specify a duration less than 10 minutes",
            "projected.path: Required value",
            "projected.sources[0].serviceAccountToken: Forbidden: must not be specified when \
             serviceAccountName is not set",
        ]
    );
    assert_eq!(
        projected(
            json!({"podCertificate": {"signerName": "kubernetes.io/a", "keyType": "RSA", "maxExpirationSeconds": 86401}})
        ),
        [
            "projected.sources[0].podCertificate.keyType: Unsupported value: \"RSA\": supported \
             values: \"ECDSAP256\", \"ECDSAP384\", \"ECDSAP521\", \"ED25519\", \"RSA3072\", \"RSA4096\"",
            "projected.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 86401: if \
             provided, maxExpirationSeconds must be <= 86400",
            "projected.sources[0].podCertificate: Required value: specify at least one of \
             credentialBundlePath, keyPath, and certificateChainPath",
        ]
    );
    assert_eq!(
        projected(
            json!({"podCertificate": {"signerName": "a", "keyType": "ED25519", "keyPath": "k", "certificateChainPath": "k"}})
        ),
        [
            "projected.sources[0].podCertificate.signerName: Invalid value: \"a\": must be a fully \
             qualified domain and path of the form 'example.com/signer-name'",
            "projected: Invalid value: \"k\": conflicting duplicate paths",
        ]
    );
    assert_eq!(
        projected(json!({"clusterTrustBundle": {"path": "../a"}})),
        [
            "projected.sources[0].clusterTrustBundle: Required value: either name or signerName \
             must be specified",
            "projected.sources[0].clusterTrustBundle.path: Invalid value: \"../a\": must not \
             contain '..'",
        ]
    );
    assert!(
        projected(json!({"clusterTrustBundle": {"path": "a", "name": "example.com:a:b"}}))
            .is_empty()
    );
}

#[test]
fn ephemeral_containers_may_have_little() {
    let debug = json!({
        "name": "app", "image": "debug.wasm", "targetContainerName": "none",
        "ports": [], "resources": {},
        "volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "a"}],
    });
    assert_eq!(
        wrong(json!({"ephemeralContainers": [debug], "volumes": [{"name": "data"}]})),
        [
            "spec.ephemeralContainers[0].name: Duplicate value: \"app\"",
            "spec.ephemeralContainers[0].targetContainerName: Not found: \"none\"",
            "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
            "spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container",
            "spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an \
             Ephemeral Container",
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ]
    );
}

#[test]
fn systems_namespaces_and_devices() {
    let app = |fields: Value| {
        let mut app = fields;
        (app["name"], app["image"]) = (json!("app"), json!("app.wasm"));
        json!([app])
    };
    let table: Vec<(Value, &[&str])> = vec![
        (
            json!({"os": {"name": "windows"}, "hostPID": true, "securityContext": {"fsGroup": 1}}),
            &[
                "spec.hostPID: Forbidden: cannot be set for a windows pod",
                "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
            ],
        ),
        (
            json!({"os": {"name": "linux"}, "securityContext": {"windowsOptions": {"runAsUserName": "a\\b\\c"}}}),
            &[
                r#"spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a\\b\\c": runAsUserName cannot contain more than one backslash"#,
                "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
            ],
        ),
        (
            json!({"hostUsers": false, "hostPID": true, "hostIPC": true}),
            &[
                "spec.hostPID: Forbidden: when `hostUsers` is false",
                "spec.hostIPC: Forbidden: when `hostUsers` is false",
            ],
        ),
        (
            json!({"shareProcessNamespace": true, "hostPID": true}),
            &[
                "spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
            ],
        ),
        (
            json!({"schedulingGates": [{"name": "a"}, {"name": "a"}], "nodeName": "n"}),
            &[
                r#"spec.schedulingGates[1]: Duplicate value: "a""#,
                "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
            ],
        ),
        (
            json!({"resourceClaims": [{"name": "a"}]}),
            &[
                r#"spec.resourceClaims[0]: Invalid value: {"name":"a"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"#,
            ],
        ),
        (
            json!({"containers": app(json!({"resources": {"claims": [{"name": "a"}]}}))}),
            &[
                r#"spec.containers[0].resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty"#,
            ],
        ),
        (
            json!({"containers": app(json!({"resources": {"limits": {"hugepages-2Mi": "3Mi"}}}))}),
            &[
                r#"spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi"#,
                r#"spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi"#,
                "spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
            ],
        ),
        (
            json!({"containers": app(json!({"resources": {"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "2"}}}))}),
            &[
                r#"spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2"#,
            ],
        ),
        (
            json!({"containers": app(json!({"volumeDevices": [{"name": "data", "devicePath": "/dev/../a"}]})), "volumes": [{"name": "data"}]}),
            &[
                r#"spec.containers[0].volumeDevices[0].name: Invalid value: "data": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"#,
                r#"spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/dev/../a": can not contain backsteps ('..')"#,
            ],
        ),
        (
            json!({"evictionResponders": [{"name": "a", "priority": -1}]}),
            &[
                r#"spec.evictionResponders[0].name: Invalid value: "a": must be a domain-prefixed key (such as "acme.io/foo")"#,
                "spec.evictionResponders[0].priority: Invalid value: -1: must be between 0 and 100000, inclusive",
            ],
        ),
    ];
    for (spec, expected) in table {
        assert_eq!(wrong(spec.clone()), expected, "{spec}");
    }
}

/// Text that is nearly right in most places, and values of any kind.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9./:'\\[\\]$()-]{0,12}",
        "\\PC{0,6}",
        Just("a".to_owned()),
        Just("1Gi".to_owned()),
        Just("metadata.labels['".to_owned()),
        Just("iqn.2015-02.a:b".to_owned()),
        Just("SIGRTMIN+".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_pod_panics(texts in proptest::collection::vec(text(), 12), number in any::<i32>()) {
        let t = |index: usize| texts[index].clone();
        let container = json!({
            "name": t(0), "image": t(1), "imagePullPolicy": t(2), "restartPolicy": t(3),
            "ports": [{"name": t(4), "containerPort": number, "hostIP": t(5), "hostPort": number}],
            "env": [
                {"name": t(6), "valueFrom": {"fieldRef": {"fieldPath": t(7)}}},
                {"name": t(6), "valueFrom": {"resourceFieldRef": {"resource": t(8), "divisor": t(9)}}},
                {"name": t(6), "valueFrom": {"fileKeyRef": {"volumeName": t(0), "path": t(1), "key": t(2)}}},
            ],
            "resources": {"limits": {t(0): t(1), "cpu": t(2)}, "requests": {t(0): t(3), "memory": t(4)}},
            "livenessProbe": {"httpGet": {"port": t(5), "scheme": t(6)}},
            "lifecycle": {"stopSignal": t(7), "preStop": {"sleep": {"seconds": number}}},
            "volumeMounts": [{"name": t(8), "mountPath": t(9), "subPath": t(10)}],
            "securityContext": {"windowsOptions": {"runAsUserName": t(11)}},
        });
        let pod = json!({
            "metadata": {
                "name": t(0), "generateName": t(1), "namespace": t(2),
                "labels": {t(3): t(4)}, "annotations": {t(5): t(6)}, "finalizers": [t(7), t(8)],
            },
            "spec": {
                "os": {"name": t(9)}, "hostname": t(10), "dnsPolicy": t(11),
                "dnsConfig": {"nameservers": [t(0)], "searches": [t(1)]},
                "tolerations": [{"key": t(2), "operator": t(3), "value": t(4)}],
                "resources": {"limits": {"cpu": t(5)}, "requests": {"memory": t(6)}},
                "volumes": [
                    {"name": t(7), "emptyDir": {"sizeLimit": t(8)}},
                    {"name": t(8), "iscsi": {"targetPortal": t(9), "iqn": t(10), "lun": number, "initiatorName": t(11)}},
                    {"name": t(9), "configMap": {"name": t(10), "defaultMode": number, "items": [{"key": t(11), "path": t(0)}]}},
                    {"name": t(10), "projected": {"sources": [
                        {"podCertificate": {"signerName": t(1), "keyType": t(2), "keyPath": t(3)}},
                        {"clusterTrustBundle": {"name": t(4), "path": t(5)}},
                    ]}},
                ],
                "initContainers": [container.clone()],
                "containers": [container],
            },
        });
        let mut pod: Pod = serde_json::from_value(pod).unwrap();
        defaults::apply(&mut pod);
        for error in super::pod(&pod) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
