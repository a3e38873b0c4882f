//! Names in a Pod: `dnsPolicy`, `dnsConfig`, `hostAliases`, the host name.

use k8s_openapi::api::core::v1::{HostAlias, PodDNSConfig, PodSpec};

use super::absent::{list, some_text, text};
use super::names;
use crate::field::{Errors, Place};

const POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

// What the resolver of libc can hold.
const MOST_NAMESERVERS: usize = 3;
const MOST_SEARCHES: usize = 32;
const MOST_SEARCH_CHARACTERS: usize = 2048;

const MOST_HOSTNAME_OVERRIDE: usize = 64;

pub(super) fn policy(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    match text(&spec.dns_policy) {
        "" => errors.required(&at.field("dnsPolicy"), ""),
        policy if POLICIES.contains(&policy) => {}
        other => errors.unsupported(&at.field("dnsPolicy"), other, &POLICIES),
    }
}

pub(super) fn config(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let at = at.field("dnsConfig");
    let own = spec.dns_config.as_ref();
    if text(&spec.dns_policy) == "None" {
        if own.is_none() {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            return errors.required(&at, detail);
        }
        if own.is_some_and(|config| list(&config.nameservers).is_empty()) {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return errors.required(&at.field("nameservers"), detail);
        }
    }
    if let Some(config) = own {
        entries(config, &at, errors);
    }
}

fn entries(config: &PodDNSConfig, at: &Place<'_>, errors: &mut Errors) {
    let nameservers = list(&config.nameservers);
    let nameservers_at = at.field("nameservers");
    if nameservers.len() > MOST_NAMESERVERS {
        let detail = format!("must not have more than {MOST_NAMESERVERS} nameservers");
        errors.invalid(&nameservers_at, nameservers.to_vec(), detail);
    }
    for (index, address) in nameservers.iter().enumerate() {
        errors.invalid_each(&nameservers_at.index(index), address, names::ip_address(address));
    }
    let searches = list(&config.searches);
    let searches_at = at.field("searches");
    if searches.len() > MOST_SEARCHES {
        let detail = format!("must not have more than {MOST_SEARCHES} search paths");
        errors.invalid(&searches_at, searches.to_vec(), detail);
    }
    if searches.join(" ").len() > MOST_SEARCH_CHARACTERS {
        let detail = format!(
            "must not have more than {MOST_SEARCH_CHARACTERS} characters (including spaces) in \
             the search list"
        );
        errors.invalid(&searches_at, searches.to_vec(), detail);
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        let wrong = names::dns_subdomain_with_underscore(search);
        errors.invalid_each(&searches_at.index(index), search, wrong);
    }
    let options = at.field("options");
    for (index, option) in list(&config.options).iter().enumerate() {
        if text(&option.name).is_empty() {
            errors.required(&options.index(index), "must not be empty");
        }
    }
}

pub(super) fn host_aliases(aliases: &[HostAlias], at: &Place<'_>, errors: &mut Errors) {
    for (index, alias) in aliases.iter().enumerate() {
        let at = at.index(index);
        errors.invalid_each(&at.field("ip"), &alias.ip, names::ip_address(&alias.ip));
        let hostnames = at.field("hostnames");
        for (index, name) in list(&alias.hostnames).iter().enumerate() {
            errors.invalid_each(&hostnames.index(index), name, names::dns_subdomain(name));
        }
    }
}

pub(super) fn hostname(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(name) = some_text(name) {
            errors.invalid_each(&at.field(field), name, names::dns_label(name));
        }
    }
}

pub(super) fn hostname_override(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let Some(name) = spec.hostname_override.as_deref() else {
        return;
    };
    let at = at.field("hostnameOverride");
    if spec.set_hostname_as_fqdn == Some(true) {
        errors.forbidden(&at, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.host_network == Some(true) {
        errors.forbidden(&at, "may not be specified when hostNetwork is true");
    }
    if name.len() > MOST_HOSTNAME_OVERRIDE {
        errors.too_long(&at, MOST_HOSTNAME_OVERRIDE);
    }
    errors.invalid_each(&at, name, names::dns_subdomain(name));
}
