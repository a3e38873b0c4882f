//! A Pod's status: accepted in what `kubectl get -o yaml` prints, and dropped.

use super::container::RESOURCE_REQUIREMENTS;
use super::shape::{
    BOOL, INT32, INT64, INTS64, Object, QUANTITY, QUANTITY_MAP, STRING, STRINGS, Shape, TIME, part,
};

pub(crate) static POD_STATUS: Object = Object {
    name: "PodStatus",
    fields: &[
        part("allocatedResources", QUANTITY_MAP),
        part("conditions", Shape::List(&Shape::Object(&POD_CONDITION))),
        part("containerStatuses", Shape::List(&Shape::Object(&CONTAINER_STATUS))),
        part("ephemeralContainerStatuses", Shape::List(&Shape::Object(&CONTAINER_STATUS))),
        part("extendedResourceClaimStatus", Shape::Object(&POD_EXTENDED_RESOURCE_CLAIM_STATUS)),
        part("hostIP", STRING),
        part("hostIPs", Shape::List(&Shape::Object(&HOST_IP))),
        part("initContainerStatuses", Shape::List(&Shape::Object(&CONTAINER_STATUS))),
        part("message", STRING),
        part(
            "nodeAllocatableResourceClaimStatuses",
            Shape::List(&Shape::Object(&NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS)),
        ),
        part("nominatedNodeName", STRING),
        part("observedGeneration", INT64),
        part("phase", STRING),
        part("podIP", STRING),
        part("podIPs", Shape::List(&Shape::Object(&POD_IP))),
        part("qosClass", STRING),
        part("reason", STRING),
        part("resize", STRING),
        part("resourceClaimStatuses", Shape::List(&Shape::Object(&POD_RESOURCE_CLAIM_STATUS))),
        part("resources", Shape::Object(&RESOURCE_REQUIREMENTS)),
        part("startTime", TIME),
        part("volumeHealth", Shape::List(&Shape::Object(&POD_VOLUME_HEALTH))),
    ],
};

pub(crate) static POD_CONDITION: Object = Object {
    name: "PodCondition",
    fields: &[
        part("lastProbeTime", TIME),
        part("lastTransitionTime", TIME),
        part("message", STRING),
        part("observedGeneration", INT64),
        part("reason", STRING),
        part("status", STRING),
        part("type", STRING),
    ],
};

pub(crate) static CONTAINER_STATUS: Object = Object {
    name: "ContainerStatus",
    fields: &[
        part("allocatedResources", QUANTITY_MAP),
        part("allocatedResourcesStatus", Shape::List(&Shape::Object(&RESOURCE_STATUS))),
        part("containerID", STRING),
        part("image", STRING),
        part("imageID", STRING),
        part("lastState", Shape::Object(&CONTAINER_STATE)),
        part("name", STRING),
        part("ready", BOOL),
        part("resources", Shape::Object(&RESOURCE_REQUIREMENTS)),
        part("restartCount", INT32),
        part("started", BOOL),
        part("state", Shape::Object(&CONTAINER_STATE)),
        part("stopSignal", STRING),
        part("user", Shape::Object(&CONTAINER_USER)),
        part("volumeMounts", Shape::List(&Shape::Object(&VOLUME_MOUNT_STATUS))),
    ],
};

pub(crate) static RESOURCE_STATUS: Object = Object {
    name: "ResourceStatus",
    fields: &[
        part("name", STRING),
        part("resources", Shape::List(&Shape::Object(&RESOURCE_HEALTH))),
    ],
};

pub(crate) static RESOURCE_HEALTH: Object = Object {
    name: "ResourceHealth",
    fields: &[part("health", STRING), part("message", STRING), part("resourceID", STRING)],
};

pub(crate) static CONTAINER_STATE: Object = Object {
    name: "ContainerState",
    fields: &[
        part("running", Shape::Object(&CONTAINER_STATE_RUNNING)),
        part("terminated", Shape::Object(&CONTAINER_STATE_TERMINATED)),
        part("waiting", Shape::Object(&CONTAINER_STATE_WAITING)),
    ],
};

pub(crate) static CONTAINER_STATE_RUNNING: Object =
    Object { name: "ContainerStateRunning", fields: &[part("startedAt", TIME)] };

pub(crate) static CONTAINER_STATE_TERMINATED: Object = Object {
    name: "ContainerStateTerminated",
    fields: &[
        part("containerID", STRING),
        part("exitCode", INT32),
        part("finishedAt", TIME),
        part("message", STRING),
        part("reason", STRING),
        part("signal", INT32),
        part("startedAt", TIME),
    ],
};

pub(crate) static CONTAINER_STATE_WAITING: Object = Object {
    name: "ContainerStateWaiting",
    fields: &[part("message", STRING), part("reason", STRING)],
};

pub(crate) static CONTAINER_USER: Object = Object {
    name: "ContainerUser",
    fields: &[part("linux", Shape::Object(&LINUX_CONTAINER_USER))],
};

pub(crate) static LINUX_CONTAINER_USER: Object = Object {
    name: "LinuxContainerUser",
    fields: &[part("gid", INT64), part("supplementalGroups", INTS64), part("uid", INT64)],
};

pub(crate) static VOLUME_MOUNT_STATUS: Object = Object {
    name: "VolumeMountStatus",
    fields: &[
        part("mountPath", STRING),
        part("name", STRING),
        part("readOnly", BOOL),
        part("recursiveReadOnly", STRING),
        part("volumeStatus", Shape::Object(&VOLUME_STATUS)),
    ],
};

pub(crate) static VOLUME_STATUS: Object =
    Object { name: "VolumeStatus", fields: &[part("image", Shape::Object(&IMAGE_VOLUME_STATUS))] };

pub(crate) static IMAGE_VOLUME_STATUS: Object =
    Object { name: "ImageVolumeStatus", fields: &[part("imageRef", STRING)] };

pub(crate) static POD_EXTENDED_RESOURCE_CLAIM_STATUS: Object = Object {
    name: "PodExtendedResourceClaimStatus",
    fields: &[
        part("requestMappings", Shape::List(&Shape::Object(&CONTAINER_EXTENDED_RESOURCE_REQUEST))),
        part("resourceClaimName", STRING),
    ],
};

pub(crate) static CONTAINER_EXTENDED_RESOURCE_REQUEST: Object = Object {
    name: "ContainerExtendedResourceRequest",
    fields: &[
        part("containerName", STRING),
        part("requestName", STRING),
        part("resourceName", STRING),
    ],
};

pub(crate) static HOST_IP: Object = Object { name: "HostIP", fields: &[part("ip", STRING)] };

pub(crate) static NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS: Object = Object {
    name: "NodeAllocatableResourceClaimStatus",
    fields: &[
        part("containers", STRINGS),
        part("mapping", Shape::List(&Shape::Object(&NODE_ALLOCATABLE_MAPPED_RESOURCES))),
        part("overhead", Shape::List(&Shape::Object(&NODE_ALLOCATABLE_OVERHEAD_RESOURCES))),
        part("resourceClaimName", STRING),
    ],
};

pub(crate) static NODE_ALLOCATABLE_MAPPED_RESOURCES: Object = Object {
    name: "NodeAllocatableMappedResources",
    fields: &[part("name", STRING), part("quantity", QUANTITY)],
};

pub(crate) static NODE_ALLOCATABLE_OVERHEAD_RESOURCES: Object = Object {
    name: "NodeAllocatableOverheadResources",
    fields: &[part("name", STRING), part("perContainer", QUANTITY), part("perPod", QUANTITY)],
};

pub(crate) static POD_IP: Object = Object { name: "PodIP", fields: &[part("ip", STRING)] };

pub(crate) static POD_RESOURCE_CLAIM_STATUS: Object = Object {
    name: "PodResourceClaimStatus",
    fields: &[part("name", STRING), part("resourceClaimName", STRING)],
};

pub(crate) static POD_VOLUME_HEALTH: Object = Object {
    name: "PodVolumeHealth",
    fields: &[
        part("healthConditions", Shape::List(&Shape::Object(&VOLUME_HEALTH_CONDITION))),
        part("lastTransitionTime", TIME),
        part("name", STRING),
    ],
};

pub(crate) static VOLUME_HEALTH_CONDITION: Object = Object {
    name: "VolumeHealthCondition",
    fields: &[part("message", STRING), part("reason", STRING), part("status", STRING)],
};
