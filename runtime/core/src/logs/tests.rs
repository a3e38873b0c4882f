//! Stories of a log: a guest writes, somebody reads.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;

const NOON: i64 = 1_795_435_200; // 2026-11-23T12:00:00Z

/// A log in a folder of its own, on a clock that ticks once a look.
struct Log {
    _folder: tempfile::TempDir,
    path: PathBuf,
    writer: LogWriter,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<String>>,
    failures: Mutex<Vec<LogFailure>>,
}

impl LogSink for Seen {
    fn line(&self, line: &LogLine<'_>) {
        let text = String::from_utf8_lossy(line.bytes);
        let text = if text.len() > 20 { format!("{} bytes", text.len()) } else { text.into() };
        let line = format!("{} {} {:?} {text}", line.container, line.stream, line.piece);
        self.lines.lock().unwrap().push(line);
    }
}

fn log_at(folder: tempfile::TempDir, path: PathBuf, rotation: Rotation) -> Log {
    let seconds = Mutex::new(NOON);
    let clock = move || {
        let mut seconds = seconds.lock().unwrap();
        *seconds += 1;
        Timestamp::from_second(*seconds).unwrap()
    };
    let seen = Arc::new(Seen::default());
    let heard = Arc::clone(&seen);
    let writer = LogWriter::new(LogWriterOptions {
        container: "web".to_owned(),
        path: path.clone(),
        rotation,
        clock: Arc::new(clock),
        sink: Some(Arc::clone(&seen) as Arc<dyn LogSink>),
        on_failure: Box::new(move |failure| heard.failures.lock().unwrap().push(failure.clone())),
    });
    writer.make_file();
    Log { _folder: folder, path, writer, seen }
}

fn log(rotation: Rotation) -> Log {
    let folder = tempfile::tempdir().unwrap();
    let path = LogPath::of_pod(folder.path(), "default", "web", "1").of_run("app", 0);
    log_at(folder, path, rotation)
}

impl Log {
    fn out(&self, text: &str) {
        self.writer.write(LogStream::Stdout, text.as_bytes());
    }

    fn err(&self, text: &str) {
        self.writer.write(LogStream::Stderr, text.as_bytes());
    }

    fn file(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }
}

fn text_of(path: &Path, options: &ReadOptions) -> String {
    let mut text = Vec::new();
    read(path, options, &mut |_, bytes| {
        text.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn lines_of_both_streams_keep_their_order() {
    let log = log(Rotation::default());
    log.out("one\ntwo\n");
    log.err("oops\n");
    log.out("half ");
    log.err("\n");
    log.out("and half\nopen");
    insta::assert_snapshot!(log.file(), @r"
    2026-11-23T12:00:01.000000000Z stdout F one
    2026-11-23T12:00:01.000000000Z stdout F two
    2026-11-23T12:00:02.000000000Z stderr F oops
    2026-11-23T12:00:04.000000000Z stderr F 
    2026-11-23T12:00:05.000000000Z stdout F half and half
    ");
    log.writer.finish();
    log.writer.finish();
    assert!(log.file().ends_with("12:00:06.000000000Z stdout P open\n"), "{}", log.file());
    insta::assert_snapshot!(log.seen.lines.lock().unwrap().join("\n"), @r"
    web stdout Full one
    web stdout Full two
    web stderr Full oops
    web stderr Full 
    web stdout Full half and half
    web stdout Partial open
    ");
}

#[test]
fn a_line_without_end_leaves_in_pieces_and_comes_back_whole() {
    let log = log(Rotation::default());
    let long = "x".repeat(2 * MAX_LINE + 10);
    for chunk in long.as_bytes().chunks(5000) {
        log.writer.write(LogStream::Stdout, chunk);
    }
    log.out("\nnext\n");
    // Exactly one entry long: no empty piece after it.
    log.out(&format!("{}\n", "y".repeat(MAX_LINE)));
    let seen = log.seen.lines.lock().unwrap().join("\n");
    insta::assert_snapshot!(seen, @r"
    web stdout Partial 16384 bytes
    web stdout Partial 16384 bytes
    web stdout Full xxxxxxxxxx
    web stdout Full next
    web stdout Full 16384 bytes
    ");
    let text = text_of(&log.path, &ReadOptions::default());
    assert_eq!(text, format!("{long}\nnext\n{}\n", "y".repeat(MAX_LINE)));
}

#[test]
fn full_files_are_put_aside_and_the_oldest_go() {
    let log = log(Rotation { max_size: 200, max_files: 3 });
    for line in 0..40 {
        log.out(&format!("line {line}\n"));
    }
    let folder = log.path.parent().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["0.log", "0.log.20261123-120033", "0.log.20261123-120037"]);
    for name in &names {
        assert!(fs::metadata(folder.join(name)).unwrap().len() <= 200);
    }
    // What is left is the end, without a gap.
    let text = text_of(&log.path, &ReadOptions::default());
    let first: u32 = text.lines().next().unwrap()["line ".len()..].parse().unwrap();
    let expected: String = (first..40).map(|line| format!("line {line}\n")).collect();
    assert_eq!(text, expected);
    assert!(first >= 28);
}

#[test]
fn a_large_write_is_not_held_in_memory_as_a_whole() {
    let log = log(Rotation { max_size: 100_000, max_files: 2 });
    log.out(&"a line of some length\n".repeat(20_000));
    assert!(fs::metadata(&log.path).unwrap().len() <= 100_000);
    let text = text_of(&log.path, &ReadOptions::default());
    // A line of 22 bytes takes 63 in the file.
    assert!(text.len() > 30_000);
    assert!(text.lines().all(|line| line == "a line of some length"));
}

#[test]
fn a_log_that_cannot_be_made_is_said_and_the_guest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let path = folder.path().join("file/0.log");
    let log = log_at(folder, path, Rotation::default());
    log.out("lost\nlost too\n");
    let failure = log.writer.failure().unwrap();
    assert_eq!(failure.lost, 2);
    assert!(
        failure.to_string().ends_with("/file/0.log: Not a directory (os error 20)"),
        "{failure}"
    );
    assert_eq!(log.seen.lines.lock().unwrap().len(), 2);
    assert_eq!(log.seen.failures.lock().unwrap().len(), 1, "at once, and once");
}

#[test]
fn a_full_disk_loses_whole_lines_says_so_once_and_recovers() {
    // A limit on the size of files answers EFBIG where a full disk answers ENOSPC; it holds for
    // the whole process, so the test runs itself again.
    const MARK: &str = "WASMPOD_TEST_FULL_DISK";
    if std::env::var_os(MARK).is_none() {
        let status = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" --exact --nocapture \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg("logs::tests::a_full_disk_loses_whole_lines_says_so_once_and_recovers")
            .env(MARK, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let limit = |bytes| {
        let limit = rustix::process::Rlimit { current: bytes, maximum: None };
        rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    };
    let log = log(Rotation::default());
    log.out("one\n");
    limit(Some(log.file().len() as u64 + 10));
    log.out("two\nthree\n");
    log.out("four\n");
    assert_eq!(log.file().lines().count(), 1, "half a line is taken back");
    limit(None);
    log.out("five\n");
    assert_eq!(text_of(&log.path, &ReadOptions::default()), "one\nfive\n");
    let failure = log.writer.failure().unwrap();
    assert_eq!(failure.lost, 3);
    assert!(failure.to_string().contains("File too large"), "{failure}");
    assert_eq!(log.seen.failures.lock().unwrap().len(), 1);
}

#[test]
fn a_folder_that_forbids_new_files_does_not_stop_the_log() {
    if rustix::process::geteuid().is_root() {
        return; // No folder forbids root anything.
    }
    let log = log(Rotation { max_size: 100, max_files: 2 });
    let folder = log.path.parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    for _ in 0..10 {
        log.out("line\n");
    }
    assert_eq!(log.file().lines().count(), 10);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_removed_log_begins_anew() {
    let log = log(Rotation { max_size: 100, max_files: 2 });
    log.out("one\n");
    fs::remove_dir_all(log.path.parent().unwrap()).unwrap();
    for _ in 0..4 {
        log.out("another line that fills the file\n");
    }
    assert!(log.file().contains("another"));
    assert_eq!(log.writer.failure(), None);
}

#[test]
fn reading_takes_a_part() {
    let log = log(Rotation { max_size: 150, max_files: 9 });
    for line in 0..6 {
        log.out(&format!("line {line}\n"));
    }
    log.err("error\n");
    let part = |options: ReadOptions| text_of(&log.path, &options);
    let all = ReadOptions::default();
    assert_eq!(part(all.clone()).lines().count(), 7);
    for tail in 0..10 {
        let text = part(ReadOptions { tail: Some(tail), ..all.clone() });
        assert_eq!(text.lines().count(), usize::try_from(tail.min(7)).unwrap(), "{tail}");
        assert!(tail == 0 || text.ends_with("error\n"));
    }
    let since = Since::Time(Timestamp::from_second(NOON + 5).unwrap());
    let text = part(ReadOptions { since: Some(since), ..all.clone() });
    assert_eq!(text, "line 4\nline 5\nerror\n");
    let now = Timestamp::from_second(NOON + 7).unwrap();
    let since = Since::Ago { now, duration: Duration::from_secs(1) };
    let text = part(ReadOptions { since: Some(since), timestamps: true, ..all.clone() });
    insta::assert_snapshot!(text, @r"
    2026-11-23T12:00:06.000000000Z line 5
    2026-11-23T12:00:07.000000000Z error
    ");
    let text = part(ReadOptions { limit_bytes: Some(10), ..all.clone() });
    assert_eq!(text, "line 0\nlin");
    let text = part(ReadOptions { stream: Some(LogStream::Stderr), ..all.clone() });
    assert_eq!(text, "error\n");
    assert_eq!(text_of(Path::new("/nowhere/0.log"), &all), "");
}

#[test]
fn broken_lines_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0.log");
    let good = "2026-11-23T12:00:01Z stdout F good\n";
    fs::write(&path, format!("{good}torn li\n\n{}\n{good}2026-11-23T12:0", "x".repeat(3 << 20)))
        .unwrap();
    assert_eq!(text_of(&path, &ReadOptions::default()), "good\ngood\n");
}

#[test]
fn an_output_that_fails_ends_the_read() {
    let log = log(Rotation::default());
    log.out("one\ntwo\n");
    let mut lines = 0;
    let result = read(&log.path, &ReadOptions::default(), &mut |_, _| {
        lines += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    });
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(lines, 1);
}

#[tokio::test(start_paused = true)]
async fn following_sees_every_line_over_rotations() {
    let log = log(Rotation { max_size: 150, max_files: 50 });
    log.out("line 0\n");
    let mut follower = Follower::open(&log.path, ReadOptions::default()).unwrap();
    let ended = CancellationToken::new();
    let writer = log.writer.clone();
    let end = ended.clone();
    let write = async move {
        for line in 1..60 {
            // In bursts, so that several rotations fall between two looks.
            if line % 20 == 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            writer.write(LogStream::Stdout, format!("line {line}\n").as_bytes());
        }
        end.cancel();
    };
    let mut text = Vec::new();
    let mut output = |_: LogStream, bytes: &[u8]| {
        text.extend_from_slice(bytes);
        Ok(())
    };
    let (followed, ()) = tokio::join!(follower.follow(&ended, &mut output), write);
    followed.unwrap();
    let expected: String = (0..60).map(|line| format!("line {line}\n")).collect();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn following_begins_before_the_log() {
    let log = log(Rotation::default());
    fs::remove_file(&log.path).unwrap();
    let mut follower = Follower::open(&log.path, ReadOptions::default()).unwrap();
    let ended = CancellationToken::new();
    let mut text = Vec::new();
    let mut output = |_: LogStream, bytes: &[u8]| {
        text.extend_from_slice(bytes);
        Ok(())
    };
    let write = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fs::write(&log.path, "2026-11-23T12:00:01Z stdout F hel").unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        fs::write(&log.path, "2026-11-23T12:00:01Z stdout F hello\n").unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        ended.cancel();
    };
    let (followed, ()) = tokio::join!(follower.follow(&ended, &mut output), write);
    followed.unwrap();
    assert_eq!(text, b"hello\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a guest cuts its output into writes, and however small the files are: what is read
    /// is what was written, as long as no file had to go.
    #[test]
    fn what_a_guest_writes_comes_back(
        writes in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\n')], 0..300),
            0..20,
        ),
        max_size in 300_u64..5000,
    ) {
        let log = log(Rotation { max_size, max_files: 10_000 });
        for bytes in &writes {
            log.writer.write(LogStream::Stdout, bytes);
        }
        log.writer.finish();
        let mut text = Vec::new();
        read(&log.path, &ReadOptions::default(), &mut |_, bytes| {
            text.extend_from_slice(bytes);
            Ok(())
        }).unwrap();
        prop_assert_eq!(text, writes.concat());
    }
}
