//! The kinds that are reduced to their Pod template.

use super::metadata::{LABEL_SELECTOR, OBJECT_META};
use super::objects::PERSISTENT_VOLUME_CLAIM;
use super::pod::POD_TEMPLATE_SPEC;
use super::reason::REDUCED;
use super::shape::Support::{Honoured, Ignored, System};
use super::shape::{
    ANY, BOOL, INT_OR_STRING, INT32, INT64, INTS32, Object, STRING, STRING_MAP, Shape, field, part,
};

pub(crate) static REPLICATION_CONTROLLER: Object = Object {
    name: "ReplicationController",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&REPLICATION_CONTROLLER_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static REPLICATION_CONTROLLER_SPEC: Object = Object {
    name: "ReplicationControllerSpec",
    fields: &[
        field("minReadySeconds", INT32, Ignored(REDUCED)),
        field("replicas", INT32, Ignored(REDUCED)),
        field("selector", STRING_MAP, Ignored(REDUCED)),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
    ],
};

pub(crate) static POD_TEMPLATE: Object = Object {
    name: "PodTemplate",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
    ],
};

pub(crate) static DEPLOYMENT: Object = Object {
    name: "Deployment",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&DEPLOYMENT_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static DEPLOYMENT_SPEC: Object = Object {
    name: "DeploymentSpec",
    fields: &[
        field("minReadySeconds", INT32, Ignored(REDUCED)),
        field("paused", BOOL, Ignored(REDUCED)),
        field("progressDeadlineSeconds", INT32, Ignored(REDUCED)),
        field("replicas", INT32, Ignored(REDUCED)),
        field("revisionHistoryLimit", INT32, Ignored(REDUCED)),
        field("selector", Shape::Object(&LABEL_SELECTOR), Ignored(REDUCED)),
        field("strategy", Shape::Object(&DEPLOYMENT_STRATEGY), Ignored(REDUCED)),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
    ],
};

pub(crate) static DEPLOYMENT_STRATEGY: Object = Object {
    name: "DeploymentStrategy",
    fields: &[
        part("rollingUpdate", Shape::Object(&ROLLING_UPDATE_DEPLOYMENT)),
        part("type", STRING),
    ],
};

pub(crate) static ROLLING_UPDATE_DEPLOYMENT: Object = Object {
    name: "RollingUpdateDeployment",
    fields: &[part("maxSurge", INT_OR_STRING), part("maxUnavailable", INT_OR_STRING)],
};

pub(crate) static STATEFUL_SET: Object = Object {
    name: "StatefulSet",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&STATEFUL_SET_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static STATEFUL_SET_SPEC: Object = Object {
    name: "StatefulSetSpec",
    fields: &[
        field("minReadySeconds", INT32, Ignored(REDUCED)),
        field("ordinals", Shape::Object(&STATEFUL_SET_ORDINALS), Ignored(REDUCED)),
        field(
            "persistentVolumeClaimRetentionPolicy",
            Shape::Object(&STATEFUL_SET_PERSISTENT_VOLUME_CLAIM_RETENTION_POLICY),
            Ignored(REDUCED),
        ),
        field("podManagementPolicy", STRING, Ignored(REDUCED)),
        field("replicas", INT32, Ignored(REDUCED)),
        field("revisionHistoryLimit", INT32, Ignored(REDUCED)),
        field("selector", Shape::Object(&LABEL_SELECTOR), Ignored(REDUCED)),
        field("serviceName", STRING, Honoured),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
        field("updateStrategy", Shape::Object(&STATEFUL_SET_UPDATE_STRATEGY), Ignored(REDUCED)),
        field(
            "volumeClaimTemplates",
            Shape::List(&Shape::Object(&PERSISTENT_VOLUME_CLAIM)),
            Honoured,
        ),
    ],
};

pub(crate) static STATEFUL_SET_ORDINALS: Object =
    Object { name: "StatefulSetOrdinals", fields: &[part("start", INT32)] };

pub(crate) static STATEFUL_SET_PERSISTENT_VOLUME_CLAIM_RETENTION_POLICY: Object = Object {
    name: "StatefulSetPersistentVolumeClaimRetentionPolicy",
    fields: &[part("whenDeleted", STRING), part("whenScaled", STRING)],
};

pub(crate) static STATEFUL_SET_UPDATE_STRATEGY: Object = Object {
    name: "StatefulSetUpdateStrategy",
    fields: &[
        part("rollingUpdate", Shape::Object(&ROLLING_UPDATE_STATEFUL_SET_STRATEGY)),
        part("type", STRING),
    ],
};

pub(crate) static ROLLING_UPDATE_STATEFUL_SET_STRATEGY: Object = Object {
    name: "RollingUpdateStatefulSetStrategy",
    fields: &[part("maxUnavailable", INT_OR_STRING), part("partition", INT32)],
};

pub(crate) static DAEMON_SET: Object = Object {
    name: "DaemonSet",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&DAEMON_SET_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static DAEMON_SET_SPEC: Object = Object {
    name: "DaemonSetSpec",
    fields: &[
        field("minReadySeconds", INT32, Ignored(REDUCED)),
        field("revisionHistoryLimit", INT32, Ignored(REDUCED)),
        field("selector", Shape::Object(&LABEL_SELECTOR), Ignored(REDUCED)),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
        field("updateStrategy", Shape::Object(&DAEMON_SET_UPDATE_STRATEGY), Ignored(REDUCED)),
    ],
};

pub(crate) static DAEMON_SET_UPDATE_STRATEGY: Object = Object {
    name: "DaemonSetUpdateStrategy",
    fields: &[
        part("rollingUpdate", Shape::Object(&ROLLING_UPDATE_DAEMON_SET)),
        part("type", STRING),
    ],
};

pub(crate) static ROLLING_UPDATE_DAEMON_SET: Object = Object {
    name: "RollingUpdateDaemonSet",
    fields: &[part("maxSurge", INT_OR_STRING), part("maxUnavailable", INT_OR_STRING)],
};

pub(crate) static REPLICA_SET: Object = Object {
    name: "ReplicaSet",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&REPLICA_SET_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static REPLICA_SET_SPEC: Object = Object {
    name: "ReplicaSetSpec",
    fields: &[
        field("minReadySeconds", INT32, Ignored(REDUCED)),
        field("replicas", INT32, Ignored(REDUCED)),
        field("selector", Shape::Object(&LABEL_SELECTOR), Ignored(REDUCED)),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
    ],
};

pub(crate) static JOB: Object = Object {
    name: "Job",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&JOB_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static JOB_SPEC: Object = Object {
    name: "JobSpec",
    fields: &[
        field("activeDeadlineSeconds", INT64, Ignored(REDUCED)),
        field("backoffLimit", INT32, Ignored(REDUCED)),
        field("backoffLimitPerIndex", INT32, Ignored(REDUCED)),
        field("completionMode", STRING, Ignored(REDUCED)),
        field("completions", INT32, Ignored(REDUCED)),
        field("managedBy", STRING, Ignored(REDUCED)),
        field("manualSelector", BOOL, Ignored(REDUCED)),
        field("maxFailedIndexes", INT32, Ignored(REDUCED)),
        field("parallelism", INT32, Ignored(REDUCED)),
        field("podFailurePolicy", Shape::Object(&POD_FAILURE_POLICY), Ignored(REDUCED)),
        field("podReplacementPolicy", STRING, Ignored(REDUCED)),
        field("scheduling", Shape::Object(&JOB_SCHEDULING_CONFIGURATION), Ignored(REDUCED)),
        field("selector", Shape::Object(&LABEL_SELECTOR), Ignored(REDUCED)),
        field("successPolicy", Shape::Object(&SUCCESS_POLICY), Ignored(REDUCED)),
        field("suspend", BOOL, Ignored(REDUCED)),
        field("template", Shape::Object(&POD_TEMPLATE_SPEC), Honoured),
        field("ttlSecondsAfterFinished", INT32, Ignored(REDUCED)),
    ],
};

pub(crate) static POD_FAILURE_POLICY: Object = Object {
    name: "PodFailurePolicy",
    fields: &[part("rules", Shape::List(&Shape::Object(&POD_FAILURE_POLICY_RULE)))],
};

pub(crate) static POD_FAILURE_POLICY_RULE: Object = Object {
    name: "PodFailurePolicyRule",
    fields: &[
        part("action", STRING),
        part("onExitCodes", Shape::Object(&POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT)),
        part(
            "onPodConditions",
            Shape::List(&Shape::Object(&POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN)),
        ),
    ],
};

pub(crate) static POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT: Object = Object {
    name: "PodFailurePolicyOnExitCodesRequirement",
    fields: &[part("containerName", STRING), part("operator", STRING), part("values", INTS32)],
};

pub(crate) static POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN: Object = Object {
    name: "PodFailurePolicyOnPodConditionsPattern",
    fields: &[part("status", STRING), part("type", STRING)],
};

pub(crate) static JOB_SCHEDULING_CONFIGURATION: Object = Object {
    name: "JobSchedulingConfiguration",
    fields: &[
        part("disruptionMode", Shape::Object(&WORKLOAD_POD_GROUP_DISRUPTION_MODE)),
        part("resourceClaims", Shape::List(&Shape::Object(&WORKLOAD_POD_GROUP_RESOURCE_CLAIM))),
        part("schedulingConstraints", Shape::Object(&WORKLOAD_POD_GROUP_SCHEDULING_CONSTRAINTS)),
        part("schedulingPolicy", Shape::Object(&WORKLOAD_POD_GROUP_SCHEDULING_POLICY)),
    ],
};

pub(crate) static WORKLOAD_POD_GROUP_DISRUPTION_MODE: Object = Object {
    name: "WorkloadPodGroupDisruptionMode",
    fields: &[part("all", ANY), part("single", ANY)],
};

pub(crate) static WORKLOAD_POD_GROUP_RESOURCE_CLAIM: Object = Object {
    name: "WorkloadPodGroupResourceClaim",
    fields: &[
        part("name", STRING),
        part("resourceClaimName", STRING),
        part("resourceClaimTemplateName", STRING),
    ],
};

pub(crate) static WORKLOAD_POD_GROUP_SCHEDULING_CONSTRAINTS: Object = Object {
    name: "WorkloadPodGroupSchedulingConstraints",
    fields: &[part("topology", Shape::List(&Shape::Object(&TOPOLOGY_CONSTRAINT)))],
};

pub(crate) static TOPOLOGY_CONSTRAINT: Object =
    Object { name: "TopologyConstraint", fields: &[part("key", STRING)] };

pub(crate) static WORKLOAD_POD_GROUP_SCHEDULING_POLICY: Object = Object {
    name: "WorkloadPodGroupSchedulingPolicy",
    fields: &[
        part("basic", ANY),
        part("gang", Shape::Object(&WORKLOAD_POD_GROUP_GANG_SCHEDULING_POLICY)),
    ],
};

pub(crate) static WORKLOAD_POD_GROUP_GANG_SCHEDULING_POLICY: Object =
    Object { name: "WorkloadPodGroupGangSchedulingPolicy", fields: &[part("minCount", INT32)] };

pub(crate) static SUCCESS_POLICY: Object = Object {
    name: "SuccessPolicy",
    fields: &[part("rules", Shape::List(&Shape::Object(&SUCCESS_POLICY_RULE)))],
};

pub(crate) static SUCCESS_POLICY_RULE: Object = Object {
    name: "SuccessPolicyRule",
    fields: &[part("succeededCount", INT32), part("succeededIndexes", STRING)],
};

pub(crate) static CRON_JOB: Object = Object {
    name: "CronJob",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&CRON_JOB_SPEC), Honoured),
        field("status", ANY, System),
    ],
};

pub(crate) static CRON_JOB_SPEC: Object = Object {
    name: "CronJobSpec",
    fields: &[
        field("concurrencyPolicy", STRING, Ignored(REDUCED)),
        field("failedJobsHistoryLimit", INT32, Ignored(REDUCED)),
        field("jobTemplate", Shape::Object(&JOB_TEMPLATE_SPEC), Honoured),
        field("schedule", STRING, Ignored(REDUCED)),
        field("startingDeadlineSeconds", INT64, Ignored(REDUCED)),
        field("successfulJobsHistoryLimit", INT32, Ignored(REDUCED)),
        field("suspend", BOOL, Ignored(REDUCED)),
        field("timeZone", STRING, Ignored(REDUCED)),
    ],
};

pub(crate) static JOB_TEMPLATE_SPEC: Object = Object {
    name: "JobTemplateSpec",
    fields: &[
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&JOB_SPEC), Honoured),
    ],
};
