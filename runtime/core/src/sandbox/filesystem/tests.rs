//! Stories of a Pod's files, with real guests where the question is what a guest may do.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, PersistentVolumeClaim, Pod, Secret,
};
use serde_json::{Value, json};

use super::etc::EtcFiles;
use super::test_guest::{self as guest, Guest, NOT_PERMITTED, OK, errno};
use super::*;

/// A Pod with its folder, its objects and its volumes.
struct World {
    state: tempfile::TempDir,
    folder: PodFolder,
    pod: Pod,
    objects: Objects,
    volumes: Volumes,
}

#[derive(Default)]
struct Objects {
    config_map: Option<ConfigMap>,
    secret: Option<Secret>,
    claim: Option<PersistentVolumeClaim>,
}

impl VolumeSources for Objects {
    fn config_map(&self, _: &str, _: &str) -> Option<&ConfigMap> {
        self.config_map.as_ref()
    }
    fn secret(&self, _: &str, _: &str) -> Option<&Secret> {
        self.secret.as_ref()
    }
    fn persistent_volume_claim(&self, _: &str, _: &str) -> Option<&PersistentVolumeClaim> {
        self.claim.as_ref()
    }
    fn downward(&self, file: &DownwardAPIVolumeFile) -> Result<String, String> {
        Ok(file.path.to_uppercase())
    }
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn settings(text: &str) -> ConfigMap {
    serde_json::from_value(json!({"data": {"settings": text}})).unwrap()
}

impl World {
    /// A Pod with these volumes and containers, its objects in place and its volumes set up.
    fn new(volumes: Value, containers: Value) -> Self {
        let state = tempfile::tempdir().unwrap();
        let host = state.path().join("host");
        fs::create_dir(&host).unwrap();
        let text = json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"volumes": volumes, "containers": containers},
        })
        .to_string()
        .replace("$HOST", host.to_str().unwrap());
        let objects = Objects {
            config_map: Some(settings("old")),
            secret: serde_json::from_value(json!({"data": {"key": "c2VjcmV0"}})).unwrap(),
            claim: serde_json::from_value(json!({"metadata": {"name": "data"}})).unwrap(),
        };
        World {
            folder: PodFolder::create(&state.path().join("pods"), "uid").unwrap(),
            state,
            pod: serde_json::from_str(&text).unwrap(),
            objects,
            volumes: Volumes::default(),
        }
    }

    fn host(&self) -> PathBuf {
        self.state.path().join("host")
    }

    fn set_up(&mut self) -> Vec<String> {
        let claims = ClaimStore::new(self.state.path().join("volumes"));
        self.volumes
            .set_up(&self.folder, &self.pod, &self.objects, &claims, now())
            .iter()
            .map(|error| format!("{}: {error}", error.reason()))
            .collect()
    }

    fn prepare(&self, container: usize, attempt: u32) -> Result<ContainerFilesystem, String> {
        let etc = EtcFiles {
            hosts: etc::hosts(&["10.0.0.2".parse::<IpAddr>().unwrap()], "web", None, &[]),
            hostname: "web\n".to_owned(),
            resolv_conf: String::new(),
        };
        let environment = [("NAME", "old"), ("NAME", "web-0"), ("UP", "../x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        ContainerFilesystem::prepare(ContainerFilesystemOptions {
            folder: &self.folder,
            volumes: &self.volumes,
            container: &self.pod.spec.as_ref().unwrap().containers[container],
            attempt,
            etc: &etc,
            image: None,
            working_dir: self.pod.spec.as_ref().unwrap().containers[container]
                .working_dir
                .as_deref(),
            environment: &environment,
        })
        .map_err(|error| {
            let text = format!("{}: {error}", error.reason());
            text.replace(self.state.path().to_str().unwrap(), "$STATE")
        })
    }

    /// The container's files, ready to run.
    #[track_caller]
    fn start(&mut self, container: usize) -> ContainerFilesystem {
        assert_eq!(self.set_up(), [] as [String; 0]);
        self.prepare(container, 0).unwrap()
    }
}

fn one_mount(volume: Value, mount: Value) -> World {
    World::new(json!([volume]), json!([{"name": "app", "volumeMounts": [mount]}]))
}

fn host_path(files: &ContainerFilesystem, guest_path: &str) -> PathBuf {
    let mount = files.mounts().iter().find(|mount| mount.guest_path == guest_path).unwrap();
    mount.host_path()
}

#[test]
fn a_container_has_a_root_with_the_usual_files() {
    let mut world = World::new(json!([]), json!([{"name": "app", "workingDir": "/srv/app"}]));
    let files = world.start(0);
    assert_eq!(files.mounts().len(), 1);
    assert!(!files.mounts()[0].read_only);
    let root = host_path(&files, "/");
    assert_eq!(fs::read_to_string(root.join("etc/hostname")).unwrap(), "web\n");
    assert!(fs::read_to_string(root.join("etc/hosts")).unwrap().ends_with("10.0.0.2\tweb\n"));
    for name in ["etc/resolv.conf", "tmp", "dev/termination-log", "srv/app"] {
        assert!(root.join(name).exists(), "{name}");
    }
}

#[test]
fn a_read_only_root_leaves_dev_and_the_last_words_writable() {
    let read_only = json!({"readOnlyRootFilesystem": true});
    let mut world = World::new(
        json!([{"name": "data", "emptyDir": {}}]),
        json!([
            {
                "name": "app",
                "securityContext": read_only,
                "terminationMessagePath": "/var/said/last",
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            },
            {"name": "root", "securityContext": read_only, "terminationMessagePath": "/last"},
            {
                "name": "volume",
                "securityContext": read_only,
                "terminationMessagePath": "/data/last",
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            },
        ]),
    );
    let files = world.start(0);
    let seen: Vec<_> =
        files.mounts().iter().map(|mount| (mount.guest_path.as_str(), mount.read_only)).collect();
    assert_eq!(seen, [("/", true), ("/data", false), ("/dev", false), ("/var/said", false)]);
    for path in ["/scratch", "/tmp/scratch", "/etc/hosts"] {
        assert_eq!(Guest::new(&files).create(path).run(), NOT_PERMITTED, "{path}");
    }
    for path in ["/data/kept", "/dev/scratch", "/dev/termination-log"] {
        assert_eq!(Guest::new(&files).create(path).run(), OK, "{path}");
    }
    assert_eq!(Guest::new(&files).write("/var/said/last").run(), OK);
    assert_eq!(files.termination_message().read(0, None), guest::TEXT);

    // The root itself is what was asked to be read-only.
    let files = world.prepare(1, 0).unwrap();
    assert_eq!(Guest::new(&files).create("/scratch").run(), NOT_PERMITTED);
    let files = world.prepare(2, 0).unwrap();
    assert_eq!(files.mounts().len(), 3);
    assert_eq!(Guest::new(&files).create("/data/last").run(), OK);
}

#[test]
fn a_restart_gets_a_new_root_and_the_same_volumes() {
    let mut world = one_mount(
        json!({"name": "data", "emptyDir": {}}),
        json!({"name": "data", "mountPath": "/data"}),
    );
    let first = world.start(0);
    let root = host_path(&first, "/");
    fs::write(root.join("tmp/scratch"), "x").unwrap();
    fs::write(host_path(&first, "/data").join("kept"), "x").unwrap();

    let second = world.prepare(0, 1).unwrap();
    assert!(!root.exists());
    assert!(!host_path(&second, "/").join("tmp/scratch").exists());
    assert!(host_path(&second, "/data").join("kept").exists());
    // The same attempt again, after something else failed: new as well.
    fs::write(host_path(&second, "/").join("tmp/scratch"), "x").unwrap();
    let again = world.prepare(0, 1).unwrap();
    assert!(!host_path(&again, "/").join("tmp/scratch").exists());
}

#[test]
fn guests_share_a_volume_at_different_paths() {
    let mut world = World::new(
        json!([{"name": "data", "emptyDir": {}}]),
        json!([
            {"name": "writer", "volumeMounts": [{"name": "data", "mountPath": "out"}]},
            {"name": "reader", "volumeMounts":
                [{"name": "data", "mountPath": "/in/", "readOnly": true}]},
        ]),
    );
    let writer = world.start(0);
    let reader = world.prepare(1, 0).unwrap();
    let paths = |files: &ContainerFilesystem| -> Vec<(String, bool)> {
        files.mounts().iter().map(|mount| (mount.guest_path.clone(), mount.read_only)).collect()
    };
    assert_eq!(paths(&writer), [("/".to_owned(), false), ("/out".to_owned(), false)]);
    assert_eq!(paths(&reader), [("/".to_owned(), false), ("/in".to_owned(), true)]);

    assert_eq!(Guest::new(&writer).create("/out/file").run(), OK);
    assert_eq!(Guest::new(&reader).read("/in/file").run(), OK);
    assert_eq!(Guest::new(&reader).create("/in/other").run(), NOT_PERMITTED);
    for forbidden in [
        Guest::new(&reader).write("/in/file"),
        Guest::new(&reader).remove("/in/file"),
        Guest::new(&reader).make_folder("/in/folder"),
        Guest::new(&reader).symlink("file", "/in/link"),
        Guest::new(&reader).hard_link("/in/file", "/tmp/link"),
        Guest::new(&reader).rename("/in/file", "/tmp/file"),
        Guest::new(&reader).rename("/etc/hostname", "/in/hostname"),
    ] {
        assert_eq!(forbidden.run(), NOT_PERMITTED);
    }
}

#[test]
fn no_guest_gets_out_of_its_mounts() {
    let mut world = one_mount(
        json!({"name": "data", "emptyDir": {}}),
        json!({"name": "data", "mountPath": "/data"}),
    );
    let files = world.start(0);
    fs::write(world.state.path().join("precious"), "x").unwrap();
    let root = host_path(&files, "/");
    let precious = world.state.path().join("precious");
    // As another process of the host might leave them; a guest cannot make these itself.
    symlink(&precious, root.join("absolute")).unwrap();
    symlink("../../../../../precious", root.join("relative")).unwrap();
    symlink("/", root.join("slash")).unwrap();
    symlink("..", root.join("up")).unwrap();
    fs::create_dir(root.join("folder")).unwrap();

    let up = "../../../../../precious";
    for (what, escape) in [
        ("read ..", Guest::new(&files).read_in("/", up)),
        ("create ..", Guest::new(&files).create_in("/", up)),
        ("hop", Guest::new(&files).read_in("/", &format!("folder/../{up}"))),
        ("absolute path", Guest::new(&files).read_in("/", precious.to_str().unwrap())),
        ("absolute link", Guest::new(&files).read("/absolute")),
        ("relative link", Guest::new(&files).read("/relative")),
        ("write link", Guest::new(&files).write("/relative")),
        ("link to /", Guest::new(&files).read_in("/", "slash/etc/passwd")),
        ("link to ..", Guest::new(&files).read_in("/", "up/app.0/etc/hosts")),
        ("hard link out", Guest::new(&files).hard_link_in("/etc/hosts", "/", "../stolen")),
        ("hard link in", Guest::new(&files).hard_link_from("/", up, "/stolen")),
        ("rename out", Guest::new(&files).rename_in("/etc/hosts", "/", "../stolen")),
        ("mkdir out", Guest::new(&files).make_folder_in("/", "../stolen")),
        ("unlink out", Guest::new(&files).remove_in("/", up)),
        ("symlink out", Guest::new(&files).symlink_in("x", "/", "../stolen")),
        ("own absolute link", Guest::new(&files).symlink("/etc/passwd", "/own")),
        ("own link", Guest::new(&files).symlink(up, "/data/own").read("/data/own")),
        (
            "moved folder",
            Guest::new(&files)
                .make_folder("/data/deep")
                .symlink("../../../../../../precious", "/data/deep/link")
                .rename("/data/deep", "/deep")
                .read("/deep/link"),
        ),
    ] {
        let errno = escape.run();
        assert_ne!(errno, OK, "{what}");
        assert!(errno < guest::EARLIER_STEP, "{what}: a step before failed with {errno}");
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "x");
    let around = fs::read_dir(root.parent().unwrap()).unwrap();
    let mut around: Vec<_> = around.map(|entry| entry.unwrap().file_name()).collect();
    around.sort();
    assert_eq!(around, ["app.0", "volumes"]);
}

#[test]
fn mounts_nest_and_show_as_folders() {
    let mut world = World::new(
        json!([
            {"name": "inner", "emptyDir": {}},
            {"name": "outer", "emptyDir": {}},
            {"name": "config", "configMap": {"name": "c"}},
        ]),
        json!([{"name": "app", "volumeMounts": [
            {"name": "inner", "mountPath": "/data/inner"},
            {"name": "outer", "mountPath": "/data"},
            {"name": "config", "mountPath": "/data/a/../config"},
            {"name": "inner", "mountPath": "/data/config/inner"},
        ]}]),
    );
    let files = world.start(0);
    let paths: Vec<_> = files.mounts().iter().map(|mount| mount.guest_path.as_str()).collect();
    assert_eq!(paths, ["/", "/data", "/data/config", "/data/config/inner", "/data/inner"]);
    assert!(host_path(&files, "/").join("data").is_dir());
    assert!(host_path(&files, "/data").join("inner").is_dir());
    assert!(files.mounts()[2].read_only, "a configMap is");
    assert_eq!(Guest::new(&files).create("/data/inner/x").run(), OK);
    assert_eq!(Guest::new(&files).read("/data/config/inner/x").run(), OK);
    assert_eq!(Guest::new(&files).read("/data/config/settings").run(), OK);
    assert_eq!(Guest::new(&files).write("/data/config/settings").run(), NOT_PERMITTED);
}

#[test]
fn a_sub_path_is_held_though_a_guest_swaps_it() {
    let mut world = one_mount(
        json!({"name": "data", "emptyDir": {}}),
        json!({"name": "data", "mountPath": "/sub", "subPathExpr": "logs/$(NAME)"}),
    );
    let files = world.start(0);
    let volume = world.folder.path().join("volumes/data");
    assert!(volume.join("logs/web-0").is_dir());
    // What a second container could do between the check and the use.
    fs::rename(volume.join("logs/web-0"), volume.join("moved")).unwrap();
    symlink("/etc", volume.join("logs/web-0")).unwrap();
    assert_eq!(Guest::new(&files).read("/sub/passwd").run(), errno::NOENT);
    assert_eq!(Guest::new(&files).create("/sub/file").run(), OK);
    assert!(volume.join("moved/file").exists());
}

#[test]
fn sub_paths_that_cannot_be_are_config_errors() {
    let error = |sub_path: Value| {
        let mut mount = json!({"name": "data", "mountPath": "/sub"});
        mount.as_object_mut().unwrap().extend(sub_path.as_object().unwrap().clone());
        let mut world = one_mount(json!({"name": "data", "emptyDir": {}}), mount);
        assert_eq!(world.set_up(), [] as [String; 0]);
        symlink("/etc", world.folder.path().join("volumes/data/link")).unwrap();
        world.prepare(0, 0).unwrap_err()
    };
    let errors = [
        error(json!({"subPath": "/etc"})),
        error(json!({"subPath": "a/../.."})),
        error(json!({"subPathExpr": "$(UP)"})),
        error(json!({"subPathExpr": "$(MISSING)"})),
        error(json!({"subPath": "link/ssl"})),
        error(json!({"name": "other"})),
        error(json!({"mountPath": "/x/.."})),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    CreateContainerConfigError: error SubPath `/etc` must not be an absolute path
    CreateContainerConfigError: unable to provision SubPath `a/../..`: must not contain '..'
    CreateContainerConfigError: unable to provision SubPath `../x`: must not contain '..'
    CreateContainerConfigError: missing value for "MISSING"
    CreateContainerConfigError: failed to prepare subPath for volumeMount "data" of container "app": a path led outside of the filesystem
    CreateContainerConfigError: cannot find volume "other" to mount into container "app"
    CreateContainerConfigError: volumeMount "data" of container "app": "/x/.." cannot be a mount path
    "#);
}

#[test]
fn config_volumes_follow_updates_and_sub_paths_do_not() {
    let mut world = World::new(
        json!([
            {"name": "config", "configMap": {"name": "c", "defaultMode": 0o440}},
            {"name": "secret", "secret": {"secretName": "s"}},
            {"name": "all", "projected": {"sources": [
                {"secret": {"name": "s"}},
                {"downwardAPI": {"items": [{"path": "labels"}]}},
            ]}},
        ]),
        json!([{"name": "app", "volumeMounts": [
            {"name": "config", "mountPath": "/config"},
            {"name": "config", "mountPath": "/etc/app/settings.ini", "subPath": "settings"},
            {"name": "secret", "mountPath": "/secret"},
            {"name": "all", "mountPath": "/all"},
        ]}]),
    );
    let files = world.start(0);
    let live = host_path(&files, "/config").join("settings");
    let copy = host_path(&files, "/").join("etc/app/settings.ini");
    assert_eq!(fs::read_to_string(&live).unwrap(), "old");
    assert_eq!(fs::metadata(&live).unwrap().mode() & 0o777, 0o440);
    assert_eq!(fs::read_to_string(host_path(&files, "/secret").join("key")).unwrap(), "secret");
    assert_eq!(fs::read_to_string(host_path(&files, "/all").join("labels")).unwrap(), "LABELS");
    assert_eq!(Guest::new(&files).read("/config/settings").run(), OK);
    assert_eq!(Guest::new(&files).read("/etc/app/settings.ini").run(), OK);

    world.objects.config_map = Some(settings("new"));
    let changed: Vec<String> = world
        .volumes
        .refresh(&world.pod, &world.objects, now())
        .into_iter()
        .filter(|refreshed| *refreshed.changed.as_ref().unwrap())
        .map(|refreshed| refreshed.volume)
        .collect();
    assert_eq!(changed, ["config"]);
    assert_eq!(fs::read_to_string(&live).unwrap(), "new");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "old");

    world.objects.config_map = None;
    let failed = world.volumes.refresh(&world.pod, &world.objects, now());
    assert_eq!(
        failed[0].changed.as_ref().unwrap_err().to_string(),
        r#"MountVolume.SetUp failed for volume "config" : configmap "c" not found"#
    );
    assert_eq!(fs::read_to_string(&live).unwrap(), "new");
}

#[test]
fn what_is_missing_fails_the_mount_until_it_is_there() {
    let mut world = World::new(
        json!([
            {"name": "config", "configMap": {"name": "c"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "nfs", "nfs": {"server": "s", "path": "/"}},
            {"name": "huge", "emptyDir": {"medium": "HugePages-2Mi"}},
            {"name": "limit", "emptyDir": {"sizeLimit": "much"}},
            {"name": "host", "hostPath": {"path": "$HOST", "type": "File"}},
            {"name": "ok"},
        ]),
        json!([{"name": "app"}]),
    );
    world.objects = Objects::default();
    let host = world.host();
    let errors = world.set_up().join("\n").replace(host.to_str().unwrap(), "$HOST");
    insta::assert_snapshot!(errors, @r#"
    FailedMount: MountVolume.SetUp failed for volume "config" : configmap "c" not found
    FailedMount: MountVolume.SetUp failed for volume "data" : persistentvolumeclaim "data" not found
    FailedMount: MountVolume.SetUp failed for volume "nfs" : nfs is not supported: there is no driver for it here
    FailedMount: MountVolume.SetUp failed for volume "huge" : emptyDir.medium: HugePages is not supported: a WebAssembly guest cannot map files
    FailedMount: MountVolume.SetUp failed for volume "limit" : emptyDir.sizeLimit: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
    FailedMount: MountVolume.SetUp failed for volume "host" : hostPath type check failed: $HOST is not a file
    "#);
    world.objects.config_map = Some(settings("x"));
    assert_eq!(world.set_up().len(), 5);
}

#[test]
fn a_writable_file_of_the_host_is_shared_and_a_read_only_one_is_copied() {
    let mut world = World::new(
        json!([
            {"name": "file", "hostPath": {"path": "$HOST/file", "type": "FileOrCreate"}},
            {"name": "folder", "hostPath": {"path": "$HOST", "type": "Directory"}},
        ]),
        json!([{"name": "app", "volumeMounts": [
            {"name": "file", "mountPath": "/srv/shared"},
            {"name": "folder", "mountPath": "/srv/copied", "subPath": "file", "readOnly": true},
        ]}]),
    );
    let files = world.start(0);
    assert_eq!(Guest::new(&files).write("/srv/shared").run(), OK);
    assert_eq!(fs::read_to_string(world.host().join("file")).unwrap(), guest::TEXT);
    let copied = host_path(&files, "/").join("srv/copied");
    assert_eq!(fs::read_to_string(copied).unwrap(), "");
    insta::assert_snapshot!(files.notes().join("\n"),
        @r#"container "app" has a copy of the file of volume "folder" at /srv/copied: later changes on the host are not seen before it restarts"#);
}

#[test]
fn a_writable_file_of_another_file_system_is_refused_with_a_way_out() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    let file = elsewhere.path().join("file");
    fs::write(&file, "x").unwrap();
    let mut world = one_mount(
        json!({"name": "file", "hostPath": {"path": file}}),
        json!({"name": "file", "mountPath": "/file"}),
    );
    assert_eq!(world.set_up(), [] as [String; 0]);
    if fs::metadata(world.state.path()).unwrap().dev() == fs::metadata(&file).unwrap().dev() {
        return; // All on one file system here.
    }
    insta::assert_snapshot!(world.prepare(0, 0).unwrap_err(),
        @r#"CreateContainerError: failed to create the file system of container "app": /file: a single file on another file system cannot be shared with a WebAssembly guest: mount the directory that holds it, or set `readOnly: true` for a copy"#);
}

#[test]
fn a_file_inside_a_lasting_volume_replaces_nothing() {
    let mut world = World::new(
        json!([
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "config", "configMap": {"name": "c"}},
        ]),
        json!([{"name": "app", "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "config", "mountPath": "/data/settings", "subPath": "settings"},
        ]}]),
    );
    let files = world.start(0);
    let settings_file = host_path(&files, "/data").join("settings");
    assert_eq!(fs::read_to_string(&settings_file).unwrap(), "old");
    // The next start finds its own file and is content.
    world.prepare(0, 1).unwrap();
    fs::remove_file(&settings_file).unwrap();
    fs::write(&settings_file, "the user's own").unwrap();
    insta::assert_snapshot!(world.prepare(0, 2).unwrap_err(),
        @r#"CreateContainerError: failed to create the file system of container "app": /data/settings: another file is there, in a volume that outlives the Pod: remove it, or mount the file elsewhere"#);
    assert_eq!(fs::read_to_string(&settings_file).unwrap(), "the user's own");
}

#[test]
fn what_is_no_file_or_folder_cannot_be_mounted() {
    let mut world = one_mount(
        json!({"name": "null", "hostPath": {"path": "/dev/null", "type": "CharDevice"}}),
        json!({"name": "null", "mountPath": "/null"}),
    );
    assert_eq!(world.set_up(), [] as [String; 0]);
    insta::assert_snapshot!(world.prepare(0, 0).unwrap_err(),
        @r#"CreateContainerConfigError: failed to mount /dev/null for volumeMount "null" of container "app": a WebAssembly guest can open only directories and regular files"#);
}

#[test]
fn last_words_are_read_from_the_end_and_from_nowhere_else() {
    let mut world = World::new(
        json!([{"name": "data", "emptyDir": {}}]),
        json!([
            {"name": "app"},
            {"name": "logs", "terminationMessagePolicy": "FallbackToLogsOnError"},
            {"name": "volume", "terminationMessagePath": "/data/message",
                "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        ]),
    );
    let files = world.start(0);
    let message = files.termination_message();
    assert_eq!(message.read(1, None), "");
    let path = host_path(&files, "/").join("dev/termination-log");
    assert_eq!(Guest::new(&files).write("/dev/termination-log").run(), OK);
    assert_eq!(message.read(0, None), guest::TEXT);
    fs::write(&path, format!("start{}end", "x".repeat(5000))).unwrap();
    let text = message.read(1, None);
    assert_eq!(text.len(), 4096);
    assert!(text.ends_with("xend"));
    fs::remove_file(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    assert_eq!(message.read(1, None), "");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(message.read(1, None), "");

    let log = world.state.path().join("0.log");
    let lines: String =
        (0..100).map(|line| format!("2026-11-23T12:00:01Z stderr F line {line}\n")).collect();
    fs::write(&log, lines).unwrap();
    let falls_back = world.prepare(1, 0).unwrap();
    let text = falls_back.termination_message().read(1, Some(&log));
    assert!(text.starts_with("line 20\n") && text.ends_with("line 99\n"), "{text}");
    assert_eq!(falls_back.termination_message().read(0, Some(&log)), "");
    assert_eq!(message.read(1, Some(&log)), "");
    fs::write(&log, format!("2026-11-23T12:00:01Z stderr F {}\n", "y".repeat(9000))).unwrap();
    assert_eq!(falls_back.termination_message().read(1, Some(&log)).len(), 2048);

    // In a volume: written by this run it counts, left by an earlier one it does not.
    let volume = world.prepare(2, 0).unwrap();
    assert_eq!(Guest::new(&volume).create("/data/message").write("/data/message").run(), OK);
    assert_eq!(volume.termination_message().read(1, None), guest::TEXT);
    let next = world.prepare(2, 1).unwrap();
    assert_eq!(next.termination_message().read(1, None), "");
}

#[test]
fn the_pods_files_die_with_it_and_the_users_stay() {
    let mut world = World::new(
        json!([
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "host", "hostPath": {"path": "$HOST/made"}},
            {"name": "memory", "emptyDir": {"medium": "Memory"}},
            {"name": "scratch", "emptyDir": {"mode": 0o700}},
        ]),
        json!([{"name": "app", "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "host", "mountPath": "/host"},
            {"name": "memory", "mountPath": "/memory"},
            {"name": "scratch", "mountPath": "/scratch"},
        ]}]),
    );
    let files = world.start(0);
    for folder in ["/data", "/host", "/memory", "/scratch"] {
        assert_eq!(Guest::new(&files).create(&format!("{folder}/file")).run(), OK);
    }
    let memory = host_path(&files, "/memory");
    assert_eq!(
        world.volumes.notes().is_empty(),
        memory.starts_with("/dev/shm") || !memory.starts_with(world.state.path())
    );
    assert_eq!(fs::metadata(host_path(&files, "/scratch")).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&memory).unwrap().mode() & 0o777, 0o777);
    world.folder.teardown().unwrap();
    assert!(!memory.exists());
    assert!(!world.folder.path().exists());
    assert!(world.host().join("made/file").exists());
    assert!(world.state.path().join("volumes/default/data/data/file").exists());
}

#[test]
fn a_volume_is_measured_by_itself() {
    let mut world = World::new(
        json!([
            {"name": "free", "emptyDir": {}},
            {"name": "tight", "emptyDir": {"sizeLimit": "64Ki"}},
        ]),
        json!([{"name": "app"}]),
    );
    assert_eq!(world.set_up(), [] as [String; 0]);
    let volumes = world.folder.path().join("volumes");
    fs::write(volumes.join("tight/file"), vec![1; 100_000]).unwrap();
    assert!(world.volumes.usage("free").unwrap().bytes < 100_000);
    assert!(world.volumes.usage("tight").unwrap().bytes >= 100_000);
    assert!(world.volumes.usage("none").is_err());
}

#[test]
fn environment_files_are_read_from_their_volume_only() {
    let mut world = World::new(json!([{"name": "data", "emptyDir": {}}]), json!([{"name": "app"}]));
    assert_eq!(world.set_up(), [] as [String; 0]);
    let volume = world.folder.path().join("volumes/data");
    fs::create_dir(volume.join("folder")).unwrap();
    fs::write(volume.join("folder/env"), "A=b").unwrap();
    fs::write(volume.join("large"), vec![b'x'; 2 << 20]).unwrap();
    symlink("/etc/passwd", volume.join("link")).unwrap();
    let read = |volume, path| world.volumes.read_file(volume, path);
    assert_eq!(read("data", "folder/env").unwrap(), b"A=b");
    for (volume, path) in [
        ("none", "x"),
        ("data", "none"),
        ("data", "folder"),
        ("data", "link"),
        ("data", "../../x"),
        ("data", "/etc/passwd"),
        ("data", "large"),
    ] {
        assert!(read(volume, path).is_err(), "{volume} {path}");
    }
}

#[test]
fn no_name_leaves_the_pods_folder() {
    for name in ["", ".", "..", "a/b", "/etc", "a\0"] {
        let mut world =
            World::new(json!([{"name": name, "emptyDir": {}}]), json!([{"name": name}]));
        assert_eq!(world.set_up().len(), 1, "{name:?}");
        assert!(world.prepare(0, 0).is_err(), "{name:?}");
        assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 0);
    }
    assert!(Path::new("/etc").exists());
}
