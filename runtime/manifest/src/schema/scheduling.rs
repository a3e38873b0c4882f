//! Where a Pod may run: affinity, tolerations, spreading.

use super::metadata::LABEL_SELECTOR;
use super::shape::{INT32, INT64, Object, STRING, STRINGS, Shape, part};

pub(crate) static AFFINITY: Object = Object {
    name: "Affinity",
    fields: &[
        part("nodeAffinity", Shape::Object(&NODE_AFFINITY)),
        part("podAffinity", Shape::Object(&POD_AFFINITY)),
        part("podAntiAffinity", Shape::Object(&POD_ANTI_AFFINITY)),
    ],
};

pub(crate) static NODE_AFFINITY: Object = Object {
    name: "NodeAffinity",
    fields: &[
        part(
            "preferredDuringSchedulingIgnoredDuringExecution",
            Shape::List(&Shape::Object(&PREFERRED_SCHEDULING_TERM)),
        ),
        part("requiredDuringSchedulingIgnoredDuringExecution", Shape::Object(&NODE_SELECTOR)),
    ],
};

pub(crate) static PREFERRED_SCHEDULING_TERM: Object = Object {
    name: "PreferredSchedulingTerm",
    fields: &[part("preference", Shape::Object(&NODE_SELECTOR_TERM)), part("weight", INT32)],
};

pub(crate) static NODE_SELECTOR_TERM: Object = Object {
    name: "NodeSelectorTerm",
    fields: &[
        part("matchExpressions", Shape::List(&Shape::Object(&NODE_SELECTOR_REQUIREMENT))),
        part("matchFields", Shape::List(&Shape::Object(&NODE_SELECTOR_REQUIREMENT))),
    ],
};

pub(crate) static NODE_SELECTOR_REQUIREMENT: Object = Object {
    name: "NodeSelectorRequirement",
    fields: &[part("key", STRING), part("operator", STRING), part("values", STRINGS)],
};

pub(crate) static NODE_SELECTOR: Object = Object {
    name: "NodeSelector",
    fields: &[part("nodeSelectorTerms", Shape::List(&Shape::Object(&NODE_SELECTOR_TERM)))],
};

pub(crate) static POD_AFFINITY: Object = Object {
    name: "PodAffinity",
    fields: &[
        part(
            "preferredDuringSchedulingIgnoredDuringExecution",
            Shape::List(&Shape::Object(&WEIGHTED_POD_AFFINITY_TERM)),
        ),
        part(
            "requiredDuringSchedulingIgnoredDuringExecution",
            Shape::List(&Shape::Object(&POD_AFFINITY_TERM)),
        ),
    ],
};

pub(crate) static WEIGHTED_POD_AFFINITY_TERM: Object = Object {
    name: "WeightedPodAffinityTerm",
    fields: &[part("podAffinityTerm", Shape::Object(&POD_AFFINITY_TERM)), part("weight", INT32)],
};

pub(crate) static POD_AFFINITY_TERM: Object = Object {
    name: "PodAffinityTerm",
    fields: &[
        part("labelSelector", Shape::Object(&LABEL_SELECTOR)),
        part("matchLabelKeys", STRINGS),
        part("mismatchLabelKeys", STRINGS),
        part("namespaceSelector", Shape::Object(&LABEL_SELECTOR)),
        part("namespaces", STRINGS),
        part("topologyKey", STRING),
    ],
};

pub(crate) static POD_ANTI_AFFINITY: Object = Object {
    name: "PodAntiAffinity",
    fields: &[
        part(
            "preferredDuringSchedulingIgnoredDuringExecution",
            Shape::List(&Shape::Object(&WEIGHTED_POD_AFFINITY_TERM)),
        ),
        part(
            "requiredDuringSchedulingIgnoredDuringExecution",
            Shape::List(&Shape::Object(&POD_AFFINITY_TERM)),
        ),
    ],
};

pub(crate) static TOLERATION: Object = Object {
    name: "Toleration",
    fields: &[
        part("effect", STRING),
        part("key", STRING),
        part("operator", STRING),
        part("tolerationSeconds", INT64),
        part("value", STRING),
    ],
};

pub(crate) static TOPOLOGY_SPREAD_CONSTRAINT: Object = Object {
    name: "TopologySpreadConstraint",
    fields: &[
        part("labelSelector", Shape::Object(&LABEL_SELECTOR)),
        part("matchLabelKeys", STRINGS),
        part("maxSkew", INT32),
        part("minDomains", INT32),
        part("nodeAffinityPolicy", STRING),
        part("nodeTaintsPolicy", STRING),
        part("topologyKey", STRING),
        part("whenUnsatisfiable", STRING),
    ],
};
