//! `clusterIP`, `clusterIPs`, their families, and `externalIPs`.

use std::collections::HashSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::ServiceSpec;

use super::super::absent::{list, text};
use super::super::names;
use crate::field::{Errors, Place};
use crate::services::NO_CLUSTER_IP;

const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const FAMILY_POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/// One for each family.
pub(super) const MOST_ADDRESSES: usize = 2;

/// Hands on the place of `clusterIPs`.
///
/// Kubernetes speaks of the list where only `clusterIP` was written and the list was filled in
/// from it. Then it is printed so, but found at what was written.
pub(super) fn at_cluster_ips<Outcome>(
    spec: &ServiceSpec,
    at: &Place<'_>,
    then: impl FnOnce(&Place<'_>) -> Outcome,
) -> Outcome {
    match list(&spec.cluster_ips) {
        [only] if only == text(&spec.cluster_ip) => {
            let written = at.field("clusterIP").unprinted();
            then(&written.field("clusterIPs"))
        }
        _ => then(&at.field("clusterIPs")),
    }
}

pub(super) fn cluster_ips(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    if text(&spec.type_) == "ExternalName" {
        return nothing(spec, at, errors);
    }
    families(spec, at, errors);
    at_cluster_ips(spec, at, |at| addresses(spec, at, errors));
}

/// A name of elsewhere has no address here.
fn nothing(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    const NONE: &str = "may not be set for ExternalName services";
    if !list(&spec.cluster_ips).is_empty() {
        at_cluster_ips(spec, at, |at| errors.forbidden(at, NONE));
    }
    if !list(&spec.ip_families).is_empty() {
        errors.forbidden(&at.field("ipFamilies"), NONE);
    }
    if spec.ip_family_policy.is_some() {
        errors.forbidden(&at.field("ipFamilyPolicy"), NONE);
    }
}

fn families(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    let families_at = at.field("ipFamilies");
    for (index, family) in list(&spec.ip_families).iter().enumerate() {
        let at = families_at.index(index);
        if !FAMILIES.contains(&family.as_str()) {
            errors.unsupported(&at, family, &FAMILIES);
        }
        if !seen.insert(family) {
            errors.duplicate(&at, family.as_str());
        }
    }
    if let Some(policy) = spec.ip_family_policy.as_deref()
        && !FAMILY_POLICIES.contains(&policy)
    {
        errors.unsupported(&at.field("ipFamilyPolicy"), policy, &FAMILY_POLICIES);
    }
}

fn addresses(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let (first, all) = (text(&spec.cluster_ip), list(&spec.cluster_ips));
    match (first, all) {
        ("", []) => {}
        ("", _) => errors.invalid(at, all, "must be empty when `clusterIP` is not specified"),
        (_, []) => errors.required(at, ""),
        (first, [other, ..]) if other != first => {
            errors.invalid(at, all, "first value must match `clusterIP`");
        }
        _ => {}
    }
    let before = errors.len();
    for (index, address) in all.iter().enumerate() {
        if index == 0 && address == NO_CLUSTER_IP {
            if all.len() > 1 {
                errors.invalid(at, all, "'None' must be the first and only value");
            } else if let "LoadBalancer" | "NodePort" = text(&spec.type_) {
                let detail = format!("may not be set to 'None' for {} services", text(&spec.type_));
                errors.invalid(&at.index(0), address.as_str(), detail);
            }
        } else {
            errors.invalid_each(&at.index(index), address, names::ip_address(address));
        }
    }
    let are_addresses = errors.len() == before;
    if all.len() > MOST_ADDRESSES {
        errors.invalid(at, all, "may only hold up to 2 values");
    }
    if are_addresses {
        one_of_each_family(spec, at, errors);
    }
}

fn one_of_each_family(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let all = list(&spec.cluster_ips);
    let families: Vec<&str> = all.iter().filter_map(|address| family_of(address)).collect();
    if all.len() > 1 && families.iter().collect::<HashSet<_>>().len() != all.len() {
        errors.invalid(at, all, "may specify no more than one IP for each IP family");
    }
    for (index, (family, wanted)) in families.iter().zip(list(&spec.ip_families)).enumerate() {
        if family != wanted && FAMILIES.contains(&wanted.as_str()) {
            let detail =
                format!("expected an {wanted} value as indicated by `ipFamilies[{index}]`");
            errors.invalid(&at.index(index), all[index].as_str(), detail);
        }
    }
}

/// As `ipFamilies` names it.
pub(super) fn family_of(address: &str) -> Option<&'static str> {
    match address.parse() {
        Ok(IpAddr::V4(_)) => Some("IPv4"),
        Ok(IpAddr::V6(_)) => Some("IPv6"),
        Err(_) => None,
    }
}

pub(super) fn external_ips(addresses: &[String], at: &Place<'_>, errors: &mut Errors) {
    for (index, address) in addresses.iter().enumerate() {
        let at = at.index(index);
        let wrong = names::ip_address(address);
        if !wrong.is_empty() {
            errors.invalid_each(&at, address, wrong);
        } else if let Ok(parsed) = address.parse()
            && let Some(detail) = special(parsed)
        {
            errors.invalid(&at, address.as_str(), detail);
        }
    }
}

/// What is wrong with an address that belongs to no machine in particular.
fn special(address: IpAddr) -> Option<String> {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let is_link_local_multicast = match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    };
    if address.is_unspecified() {
        Some(format!("may not be unspecified ({address})"))
    } else if address.is_loopback() {
        Some("may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned())
    } else if is_link_local {
        Some("may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned())
    } else if is_link_local_multicast {
        Some("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned())
    } else {
        None
    }
}
