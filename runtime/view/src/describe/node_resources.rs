//! What the Pods on a node ask for, and how much of the node that is.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, NodeStatus, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use wasmpod_manifest::quantity::Quantity as Amount;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use crate::quantity::amount;
use crate::summary::has_ended;

type Amounts = BTreeMap<String, Amount>;
type Quantities = Option<BTreeMap<String, Quantity>>;

pub(super) fn describe(sheet: &mut Sheet, node: &str, status: &NodeStatus, around: &Surroundings) {
    let is_here = |pod: &&Pod| {
        let on = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        on == Some(node) && !pod.status.as_ref().is_some_and(has_ended)
    };
    let pods: Vec<&Pod> = around.pods.iter().filter(is_here).collect();
    let allocatable = match &status.allocatable {
        Some(allocatable) if !allocatable.is_empty() => read(&Some(allocatable.clone())),
        Some(_) | None => read(&status.capacity),
    };
    sheet.write(0, format!("Non-terminated Pods:\t({} in total)\n", pods.len()));
    sheet.write(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n",
    );
    sheet.write(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n",
    );
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let asked = of_pod(pod, |resources| &resources.requests);
        let limited = of_pod(pod, |resources| &resources.limits);
        let share = |amounts: &Amounts, name: &str| share(amounts, &allocatable, name);
        let cells = [
            pod.metadata.namespace.clone().unwrap_or_default(),
            pod.metadata.name.clone().unwrap_or_default(),
            String::new(),
            share(&asked, "cpu"),
            share(&limited, "cpu"),
            share(&asked, "memory"),
            share(&limited, "memory"),
            around.since(pod.metadata.creation_timestamp.as_ref()),
        ];
        sheet.write(1, cells.join("\t") + "\n");
        add(&mut requests, &asked);
        add(&mut limits, &limited);
    }
    totals(sheet, &requests, &limits, &allocatable);
}

fn totals(sheet: &mut Sheet, requests: &Amounts, limits: &Amounts, allocatable: &Amounts) {
    sheet.write(
        0,
        "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n",
    );
    sheet.write(1, "Resource\tRequests\tLimits\n");
    sheet.write(1, "--------\t--------\t------\n");
    let is_huge = |name: &&String| name.starts_with("hugepages-");
    let is_standard =
        |name: &str| matches!(name, "cpu" | "memory" | "ephemeral-storage" | "pods" | "storage");
    let named = ["cpu", "memory", "ephemeral-storage"].map(str::to_owned);
    for name in named.iter().chain(allocatable.keys().filter(is_huge)) {
        let request = share(requests, allocatable, name);
        let limit = share(limits, allocatable, name);
        sheet.write(1, format!("{name}\t{request}\t{limit}\n"));
    }
    let others = allocatable.keys().filter(|name| !is_huge(name) && !is_standard(name));
    for name in others {
        let of = |amounts: &Amounts| amounts.get(name).copied().unwrap_or(Amount::ZERO);
        sheet.write(1, format!("{name}\t{}\t{}\n", of(requests), of(limits)));
    }
}

/// `100m (2%)`
fn share(amounts: &Amounts, allocatable: &Amounts, name: &str) -> String {
    let amount = amounts.get(name).copied().unwrap_or(Amount::ZERO);
    let whole = allocatable.get(name).copied().unwrap_or(Amount::ZERO);
    let count = |amount: Amount| match name {
        "cpu" => i128::from(amount.milli_ceil()),
        _ => i128::from(amount.units_ceil()),
    };
    let percent = (count(amount) * 100).checked_div(count(whole)).unwrap_or_default();
    format!("{amount} ({percent}%)")
}

/// What a Pod asks for: its containers together, or one init container where that asks for more;
/// sidecars count beside both. What the Pod itself says comes before all of them.
///
/// Rule: `PodRequests` and `PodLimits` of component-helpers.
fn of_pod(pod: &Pod, side: fn(&ResourceRequirements) -> &Quantities) -> Amounts {
    let Some(spec) = &pod.spec else { return Amounts::new() };
    let of = |container: &Container| {
        container.resources.as_ref().map_or_else(Amounts::new, |it| read(side(it)))
    };
    let mut total = Amounts::new();
    spec.containers.iter().for_each(|container| add(&mut total, &of(container)));
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for container in spec.init_containers.iter().flatten() {
        let mut at_this_time = of(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut total, &at_this_time);
            add(&mut sidecars, &at_this_time);
            at_this_time = sidecars.clone();
        } else {
            add(&mut at_this_time, &sidecars);
        }
        raise(&mut most, &at_this_time);
    }
    raise(&mut total, &most);
    if let Some(resources) = &spec.resources {
        total.extend(read(side(resources)));
    }
    add(&mut total, &read(&spec.overhead));
    total
}

fn read(quantities: &Quantities) -> Amounts {
    quantities.iter().flatten().map(|(name, quantity)| (name.clone(), amount(quantity))).collect()
}

fn add(total: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts {
        let sum = total.get(name).map_or(*amount, |sum| *sum + *amount);
        total.insert(name.clone(), sum);
    }
}

fn raise(most: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts {
        let higher = most.get(name).map_or(*amount, |most| (*most).max(*amount));
        most.insert(name.clone(), higher);
    }
}
