//! How clients are led to Pods: affinity, policies, and what is meant for a load balancer.

use k8s_openapi::api::core::v1::ServiceSpec;

use super::super::absent::text;
use super::super::{names, ports as container_ports};
use super::object::BALANCER_ONLY;
use crate::field::{Errors, Place};
use crate::services::is_externally_accessible;

const AFFINITIES: [&str; 2] = ["ClientIP", "None"];
const POLICIES: [&str; 2] = ["Cluster", "Local"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameNode", "PreferSameZone"];

/// One day.
const MOST_AFFINITY_SECONDS: i32 = 86_400;

pub(super) fn session_affinity(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let config_at = at.field("sessionAffinityConfig");
    match text(&spec.session_affinity) {
        "" => errors.required(&at.field("sessionAffinity"), ""),
        "ClientIP" => affinity_timeout(spec, &config_at, errors),
        "None" if spec.session_affinity_config.is_some() => {
            errors.forbidden(&config_at, "must not be set when session affinity is None");
        }
        "None" => {}
        other => errors.unsupported(&at.field("sessionAffinity"), other, &AFFINITIES),
    }
}

fn affinity_timeout(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    const REQUIRED: &str = "when session affinity type is ClientIP";
    let Some(config) = &spec.session_affinity_config else {
        return errors.required(at, REQUIRED);
    };
    let at = at.field("clientIP");
    let Some(client) = &config.client_ip else {
        return errors.required(&at, REQUIRED);
    };
    let at = at.field("timeoutSeconds");
    let Some(seconds) = client.timeout_seconds else {
        return errors.required(&at, REQUIRED);
    };
    // The bound itself is allowed, whatever the text says.
    if !(1..=MOST_AFFINITY_SECONDS).contains(&seconds) {
        let detail = format!("must be greater than 0 and less than {MOST_AFFINITY_SECONDS}");
        errors.invalid(&at, seconds, detail);
    }
}

pub(super) fn load_balancer(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let is_balanced = text(&spec.type_) == "LoadBalancer";
    if spec.allocate_load_balancer_node_ports.is_some() && !is_balanced {
        errors.forbidden(&at.field("allocateLoadBalancerNodePorts"), BALANCER_ONLY);
    }
    if let Some(class) = spec.load_balancer_class.as_deref() {
        let at = at.field("loadBalancerClass");
        if is_balanced {
            errors.invalid_each(&at, class, names::qualified_name(class));
        } else {
            errors.forbidden(&at, BALANCER_ONLY);
        }
    }
}

pub(super) fn policies(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let external_at = at.field("externalTrafficPolicy");
    let external = text(&spec.external_traffic_policy);
    match (is_externally_accessible(spec), external) {
        (false, "") => {}
        (false, _) => {
            let detail = "may only be set for externally-accessible services";
            errors.invalid(&external_at, external, detail);
        }
        (true, "") => errors.required(&external_at, ""),
        (true, known) if POLICIES.contains(&known) => {}
        (true, other) => errors.unsupported(&external_at, other, &POLICIES),
    }
    health_check(spec, &at.field("healthCheckNodePort"), errors);
    if let Some(policy) = spec.internal_traffic_policy.as_deref()
        && !POLICIES.contains(&policy)
    {
        errors.unsupported(&at.field("internalTrafficPolicy"), policy, &POLICIES);
    }
    if let Some(distribution) = spec.traffic_distribution.as_deref()
        && !DISTRIBUTIONS.contains(&distribution)
    {
        errors.unsupported(&at.field("trafficDistribution"), distribution, &DISTRIBUTIONS);
    }
}

/// That it is missing where it is needed is no fault: a cluster gives one out.
fn health_check(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let Some(port) = spec.health_check_node_port.filter(|port| *port != 0) else {
        return;
    };
    let is_asked =
        text(&spec.type_) == "LoadBalancer" && text(&spec.external_traffic_policy) == "Local";
    if is_asked {
        container_ports::number(port, at, errors);
    } else {
        let detail =
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(at, port, detail);
    }
}
