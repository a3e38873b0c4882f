//! Where a Pod's cgroup goes, surroundings by surroundings.

use std::path::Path;

use super::hierarchy::{Controllers, Tree};
use super::plan::{Access, Bounds, Inhabitants, Seen, Way};
use super::{CgroupError, CgroupPlan};

/// Debian 12, systemd 252.
const SYSTEMD: &str = "\
24 30 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
25 30 0:23 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
32 24 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
30 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
";

/// Docker 24 with a cgroup namespace, as it is by default.
const DOCKER: &str = "\
718 652 0:62 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/u,workdir=/w
719 718 0:65 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
722 718 0:68 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
723 722 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot
";

/// The same without the namespace.
const DOCKER_OF_HOST: &str = "\
723 722 0:28 /system.slice/docker-5f0c.scope /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate
";

/// Ubuntu 20.04: systemd's hybrid, all controllers in version 1.
const HYBRID: &str = "\
25 24 0:22 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
27 25 0:24 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
32 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,cpu,cpuacct
36 25 0:33 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:20 - cgroup cgroup rw,memory
";

const FREE: Seen = Seen {
    access: Access::Ours,
    inhabitants: Inhabitants::OnlyOurs,
    offers: Controllers::ALL,
    bounds: Bounds::None,
};
const ROOT: Seen = Seen { inhabitants: Inhabitants::AnybodyInTheRoot, ..FREE };
const CROWDED: Seen = Seen { inhabitants: Inhabitants::Others, ..FREE };
const MEMORY: Controllers = Controllers { cpu: false, memory: true };
const CPU: Controllers = Controllers { cpu: true, memory: false };

fn bounded(seen: Seen) -> Seen {
    Seen { bounds: Bounds::Some, ..seen }
}

fn offering(offers: Controllers, seen: Seen) -> Seen {
    Seen { offers, ..seen }
}

fn refused(seen: Seen) -> Seen {
    Seen { access: Access::Refused, ..seen }
}

/// The places, and the note; or the error.
fn plan(mountinfo: &str, cgroups: &str, folders: &[(&str, Seen)]) -> Result<Vec<String>, String> {
    let look = |_: &Tree, folder: &Path| {
        let known = folders.iter().find(|(path, _)| Path::new(path) == folder);
        known.map_or(Seen { access: Access::Absent, ..CROWDED }, |(_, seen)| *seen)
    };
    let plan = CgroupPlan::of(mountinfo, cgroups, look).map_err(|error| match error {
        CgroupError::NoPlace(obstacle) => obstacle.to_string(),
        error => error.to_string(),
    })?;
    let places = plan.spots.iter().map(|spot| {
        let way = match spot.way {
            Way::Free => "free",
            Way::StepAside => "step aside",
            Way::Threaded => "threaded",
        };
        let controllers: Vec<&str> = spot.controllers.names().collect();
        format!("{} {way} {}", spot.base.display(), controllers.join("+"))
    });
    Ok(places.chain(plan.note().map(str::to_owned)).collect())
}

fn places(mountinfo: &str, cgroups: &str, folders: &[(&str, Seen)]) -> Vec<String> {
    plan(mountinfo, cgroups, folders).unwrap()
}

const TOP: &str = "/sys/fs/cgroup";
const SERVICE: &str = "/sys/fs/cgroup/system.slice/web.service";
const SESSION: &str = "/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope";

#[test]
fn a_service_keeps_its_pods_within_its_bounds() {
    let own = "0::/system.slice/web.service\n";
    let with = |seen| places(SYSTEMD, own, &[(TOP, ROOT), (SERVICE, seen)]);
    let below = "/sys/fs/cgroup/system.slice/web.service";
    // Delegate=yes
    assert_eq!(with(FREE), [format!("{below} step aside cpu+memory")]);
    assert_eq!(with(bounded(FREE)), [format!("{below} step aside cpu+memory")]);
    // Without, and nothing is lost.
    assert_eq!(with(offering(MEMORY, FREE)), ["/sys/fs/cgroup free cpu+memory"]);
    assert_eq!(with(CROWDED), ["/sys/fs/cgroup free cpu+memory"]);
    // Without, and MemoryMax= would be.
    insta::assert_snapshot!(with(offering(MEMORY, bounded(FREE))).join("\n"), @r"
    /sys/fs/cgroup/system.slice/web.service step aside memory
    the Pod's cgroup shares out no CPU: /sys/fs/cgroup/system.slice/web.service has no controller for it; in a service of systemd `Delegate=yes` asks for all
    ");
    insta::assert_snapshot!(with(bounded(CROWDED)).join("\n"), @r"
    /sys/fs/cgroup/system.slice/web.service threaded cpu
    the Pod's cgroup bounds no memory: other processes are in /sys/fs/cgroup/system.slice/web.service; `systemd-run --scope --property=Delegate=yes wasmpod run …` begins in a cgroup of its own
    ");
}

#[test]
fn who_has_stepped_aside_or_holds_a_pod_is_below_where_it_was_started() {
    for own in ["commands", "pod12", "burstable/pod12", "besteffort/pod12"] {
        let cgroups = format!("0::/system.slice/web.service/wasmpod/{own}\n");
        let known = [(TOP, ROOT), (SERVICE, FREE)];
        let place = "/sys/fs/cgroup/system.slice/web.service step aside cpu+memory";
        assert_eq!(places(SYSTEMD, &cgroups, &known), [place], "{own}");
    }
    // Somebody else's of that name.
    let other = "/sys/fs/cgroup/wasmpod/other";
    let place = format!("{other} step aside cpu+memory");
    assert_eq!(places(SYSTEMD, "0::/wasmpod/other\n", &[(TOP, ROOT), (other, FREE)]), [place]);
}

#[test]
fn at_a_terminal_root_has_the_machine_and_others_what_they_were_given() {
    let root = "0::/user.slice/user-0.slice/session-1.scope\n";
    let crowded = offering(MEMORY, CROWDED);
    let place = "/sys/fs/cgroup free cpu+memory";
    assert_eq!(places(SYSTEMD, root, &[(TOP, ROOT), (SESSION, crowded)]), [place]);
    assert_eq!(places(SYSTEMD, "0::/\n", &[(TOP, ROOT)]), [place]);

    let session = "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope";
    let cgroups = "0::/user.slice/user-1000.slice/session-2.scope\n";
    let known = [(TOP, refused(ROOT)), (session, refused(CROWDED))];
    insta::assert_snapshot!(plan(SYSTEMD, cgroups, &known).unwrap_err(), @"/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope is not this user's to change; systemd gives one away: `systemd-run --user --scope --property=Delegate=yes wasmpod run …`");

    let scope =
        "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-r7.scope";
    let cgroups = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r7.scope\n";
    let given = |seen| plan(SYSTEMD, cgroups, &[(TOP, refused(ROOT)), (scope, seen)]);
    assert_eq!(given(FREE), Ok(vec![format!("{scope} step aside cpu+memory")]));
    assert!(given(CROWDED).is_ok_and(|places| places[0] == format!("{scope} threaded cpu")));
    assert!(given(offering(MEMORY, CROWDED)).unwrap_err().starts_with("other processes are in"));
    assert!(given(offering(Controllers::NONE, FREE)).unwrap_err().contains("has no controller"));
}

#[test]
fn in_a_container_it_is_below_the_containers_own() {
    let read_only = Seen { access: Access::ReadOnly, ..FREE };
    insta::assert_snapshot!(
        plan(DOCKER, "0::/\n", &[(TOP, read_only)]).unwrap_err(),
        @"/sys/fs/cgroup is read-only here"
    );
    // --privileged
    let writable = DOCKER.replace("/sys/fs/cgroup ro", "/sys/fs/cgroup rw");
    let alone = "/sys/fs/cgroup step aside cpu+memory";
    assert_eq!(places(&writable, "0::/\n", &[(TOP, FREE)]), [alone]);
    // It has a shell as well: its top is no root of a machine.
    let places = places(&writable, "0::/\n", &[(TOP, CROWDED)]);
    assert_eq!(places[0], "/sys/fs/cgroup threaded cpu");
    let host = "0::/system.slice/docker-5f0c.scope\n";
    assert!(plan(DOCKER_OF_HOST, host, &[(TOP, read_only)]).is_err());
    assert_eq!(plan("", "0::/\n", &[]).unwrap_err(), "no cgroups are mounted here");
}

#[test]
fn of_version_1_each_controller_has_a_place_of_its_own() {
    let cgroups = "12:memory:/user.slice/me\n4:cpu,cpuacct:/user.slice\n1:name=systemd:/x\n0::/x\n";
    let (cpu, memory) = ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory");
    let (own_cpu, own_memory) = (format!("{cpu}/user.slice"), format!("{memory}/user.slice/me"));
    let v1 = |own_cpu_seen, top_seen| {
        let known =
            [(cpu, top_seen), (memory, top_seen), (&*own_cpu, own_cpu_seen), (&*own_memory, FREE)];
        places(HYBRID, cgroups, &known)
    };
    let below = format!("{own_memory} free memory");
    assert_eq!(v1(FREE, FREE), [format!("{own_cpu} free cpu"), below.clone()]);
    assert_eq!(v1(refused(FREE), FREE), [format!("{cpu} free cpu"), below.clone()]);
    let half = v1(refused(FREE), refused(FREE));
    assert_eq!(half[0], below);
    assert!(half[1].starts_with("the Pod's cgroup shares out no CPU: "), "{half:?}");
}

#[test]
fn a_machine_may_have_one_controller_in_each_version() {
    let mixed: String = HYBRID
        .lines()
        .filter(|line| !line.ends_with("rw,memory"))
        .map(|line| format!("{line}\n"))
        .collect();
    let cgroups = "4:cpu,cpuacct:/\n0::/\n";
    let known =
        [("/sys/fs/cgroup/cpu,cpuacct", FREE), ("/sys/fs/cgroup/unified", offering(MEMORY, ROOT))];
    assert_eq!(
        places(&mixed, cgroups, &known),
        ["/sys/fs/cgroup/cpu,cpuacct free cpu", "/sys/fs/cgroup/unified free memory"]
    );
    let none = [known[0], ("/sys/fs/cgroup/unified", offering(CPU, ROOT))];
    assert!(places(&mixed, cgroups, &none)[1].starts_with("the Pod's cgroup bounds no memory"));
}
