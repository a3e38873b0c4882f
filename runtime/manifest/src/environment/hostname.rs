//! The name that a Pod's containers see as their host's.

use k8s_openapi::api::core::v1::Pod;

/// The longest host name: one label of DNS.
const MOST: usize = 63;

/// `spec.hostnameOverride`, else `spec.hostname`, else the Pod's name cut to 63 bytes.
///
/// With `setHostnameAsFQDN` and a `subdomain` it is the full name of the Pod in the cluster
/// domain.
pub fn hostname(pod: &Pod) -> String {
    let spec = pod.spec.as_ref();
    let set = |value: Option<&String>| value.filter(|value| !value.is_empty()).cloned();
    if let Some(name) = set(spec.and_then(|spec| spec.hostname_override.as_ref())) {
        return name;
    }
    let name = set(spec.and_then(|spec| spec.hostname.as_ref()))
        .unwrap_or_else(|| cut(pod.metadata.name.as_deref().unwrap_or_default()).to_owned());
    let subdomain = set(spec.and_then(|spec| spec.subdomain.as_ref()));
    let qualified = spec.and_then(|spec| spec.set_hostname_as_fqdn) == Some(true);
    match subdomain {
        Some(subdomain) if qualified => {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
            format!("{name}.{subdomain}.{namespace}.svc.cluster.local")
        }
        _ => name,
    }
}

/// A name that is cut may not end in a dash or a dot, which the whole one did not.
fn cut(name: &str) -> &str {
    let end = (0..=MOST.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    let cut = &name[..end.unwrap_or(0)];
    if cut.len() < name.len() { cut.trim_end_matches(['-', '.']) } else { cut }
}

#[cfg(test)]
mod tests {
    use super::hostname;

    fn of(name: &str, spec: serde_json::Value) -> String {
        let pod = serde_json::json!({"metadata": {"name": name, "namespace": "ns"}, "spec": spec});
        hostname(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn the_spec_comes_before_the_name() {
        let none = serde_json::json!({"containers": []});
        assert_eq!(of("web", none.clone()), "web");
        let long = format!("{}-{}", "a".repeat(62), "b".repeat(20));
        assert_eq!(of(&long, none), "a".repeat(62));
        let named = serde_json::json!({"containers": [], "hostname": "box", "subdomain": "sub"});
        assert_eq!(of("web", named), "box");
        let qualified = serde_json::json!({
            "containers": [], "hostname": "box", "subdomain": "sub", "setHostnameAsFQDN": true,
        });
        assert_eq!(of("web", qualified), "box.sub.ns.svc.cluster.local");
        let own =
            serde_json::json!({"containers": [], "hostname": "box", "hostnameOverride": "a.b"});
        assert_eq!(of("web", own), "a.b");
    }
}
