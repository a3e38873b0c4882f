//! The security contexts of Pods and containers.

use super::reason::{PRIVILEGED, PRIVILEGES, SYSCTLS, SYSTEM_CALLS, USERS, WINDOWS};
use super::shape::Support::{Honoured, Ignored, Refused};
use super::shape::{BOOL, INT64, INTS64, Object, STRING, STRINGS, Shape, field, part};
use crate::sysctl;

pub(crate) static POD_SECURITY_CONTEXT: Object = Object {
    name: "PodSecurityContext",
    fields: &[
        field("appArmorProfile", Shape::Object(&APP_ARMOR_PROFILE), Ignored(SYSTEM_CALLS)),
        field("fsGroup", INT64, Ignored(USERS)),
        field("fsGroupChangePolicy", STRING, Ignored(USERS)),
        field("runAsGroup", INT64, Ignored(USERS)),
        field("runAsNonRoot", BOOL, Ignored(USERS)),
        field("runAsUser", INT64, Ignored(USERS)),
        field("seLinuxChangePolicy", STRING, Ignored(SYSTEM_CALLS)),
        field("seLinuxOptions", Shape::Object(&SE_LINUX_OPTIONS), Ignored(SYSTEM_CALLS)),
        field("seccompProfile", Shape::Object(&SECCOMP_PROFILE), Ignored(SYSTEM_CALLS)),
        field("supplementalGroups", INTS64, Ignored(USERS)),
        field("supplementalGroupsPolicy", STRING, Ignored(USERS)),
        field("sysctls", Shape::List(&Shape::Object(&SYSCTL)), Honoured),
        field("windowsOptions", Shape::Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS), Refused(WINDOWS)),
    ],
};

pub(crate) static SECURITY_CONTEXT: Object = Object {
    name: "SecurityContext",
    fields: &[
        field("allowPrivilegeEscalation", BOOL, Ignored(PRIVILEGES)),
        field("appArmorProfile", Shape::Object(&APP_ARMOR_PROFILE), Ignored(SYSTEM_CALLS)),
        field("capabilities", Shape::Object(&CAPABILITIES), Ignored(PRIVILEGES)),
        field("privileged", BOOL, Refused(PRIVILEGED)),
        field("procMount", STRING, Ignored(SYSTEM_CALLS)).unless(&["Default"]),
        field("readOnlyRootFilesystem", BOOL, Honoured),
        field("runAsGroup", INT64, Ignored(USERS)),
        field("runAsNonRoot", BOOL, Ignored(USERS)),
        field("runAsUser", INT64, Ignored(USERS)),
        field("seLinuxOptions", Shape::Object(&SE_LINUX_OPTIONS), Ignored(SYSTEM_CALLS)),
        field("seccompProfile", Shape::Object(&SECCOMP_PROFILE), Ignored(SYSTEM_CALLS)),
        field("windowsOptions", Shape::Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS), Refused(WINDOWS)),
    ],
};

pub(crate) static APP_ARMOR_PROFILE: Object = Object {
    name: "AppArmorProfile",
    fields: &[part("localhostProfile", STRING), part("type", STRING)],
};

pub(crate) static CAPABILITIES: Object =
    Object { name: "Capabilities", fields: &[part("add", STRINGS), part("drop", STRINGS)] };

pub(crate) static SE_LINUX_OPTIONS: Object = Object {
    name: "SELinuxOptions",
    fields: &[
        part("level", STRING),
        part("role", STRING),
        part("type", STRING),
        part("user", STRING),
    ],
};

pub(crate) static SECCOMP_PROFILE: Object = Object {
    name: "SeccompProfile",
    fields: &[part("localhostProfile", STRING), part("type", STRING)],
};

pub(crate) static SYSCTL: Object = Object {
    name: "Sysctl",
    fields: &[
        field("name", STRING, Ignored(SYSCTLS)).unless(&sysctl::NAMES),
        part("value", STRING),
    ],
};

pub(crate) static WINDOWS_SECURITY_CONTEXT_OPTIONS: Object = Object {
    name: "WindowsSecurityContextOptions",
    fields: &[
        part("gmsaCredentialSpec", STRING),
        part("gmsaCredentialSpecName", STRING),
        part("hostProcess", BOOL),
        part("runAsUserName", STRING),
    ],
};
